//! JSON web tokens of 24 hours, bound to a revocable session (RFC 7519, HS256).

use hearth_protocol::ids::{SessionId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// The key that signs tokens: random, made once, kept inside the store.
pub struct JwtKey {
    signing: EncodingKey,
    checking: DecodingKey,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    sid: SessionId,
    /// Seconds since 1970, as RFC 7519 §4.1.4 says.
    exp: u64,
}

impl JwtKey {
    /// The key from the store's secret.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
        }
    }

    /// A token for a session, valid until `expires_at` (ms since 1970).
    pub fn sign(
        &self,
        user: UserId,
        session: SessionId,
        expires_at: u64,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims { sub: user, sid: session, exp: expires_at / 1_000 };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    /// Whose token it is, if it is ours and not expired at `now_ms`.
    pub fn check(&self, token: &str, now_ms: u64) -> Option<(UserId, SessionId)> {
        let mut rules = Validation::new(Algorithm::HS256);
        // Expiry is compared with the clock that came in, below.
        rules.validate_exp = false;
        rules.required_spec_claims = ["exp".to_string()].into();
        let claims = jsonwebtoken::decode::<Claims>(token, &self.checking, &rules).ok()?.claims;
        (claims.exp > now_ms / 1_000).then_some((claims.sub, claims.sid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_protocol::bytes::b64u;

    const USER: UserId = UserId::from_bytes([1; 16]);
    const SESSION: SessionId = SessionId::from_bytes([2; 16]);

    #[test]
    fn a_token_holds_until_it_expires() {
        let key = JwtKey::new(&[7; 32]);
        let token = key.sign(USER, SESSION, 100_000).unwrap();
        assert_eq!(key.check(&token, 99_000), Some((USER, SESSION)));
        assert_eq!(key.check(&token, 100_000), None);
    }

    #[test]
    fn a_foreign_or_altered_token_is_none() {
        let key = JwtKey::new(&[7; 32]);
        let token = key.sign(USER, SESSION, 100_000).unwrap();
        assert_eq!(JwtKey::new(&[8; 32]).check(&token, 0), None);
        let parts: Vec<_> = token.split('.').collect();
        let unsigned = format!("{}.{}.", b64u(br#"{"alg":"none","typ":"JWT"}"#), parts[1]);
        let forged = format!("{}.{}.{}", parts[0], b64u(b"{}"), parts[2]);
        for bad in ["", "a.b.c", &unsigned, &forged, &token[..token.len() - 2]] {
            assert_eq!(key.check(bad, 0), None, "{bad}");
        }
    }
}
