//! The box's REST as this client uses it (design §7): JSON in, JSON out, refusals as errors.

use std::time::Duration;

use hearth_protocol::ids::{SessionId, UserId};
use hearth_protocol::limits::wide;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, TlsConfig};
use ureq::{Agent, Body};

use super::MemberError;
use super::trust::{Trust, provider};

/// How long an answer may take: a login waits for the box's Argon2.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an answer: all bundles of a room, a large attachment.
pub(super) const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// A person as the box shows them.
#[derive(Debug, Clone, Deserialize)]
pub struct UserInfo {
    /// The id.
    pub id: UserId,
    /// The user name.
    pub name: String,
    /// The name shown.
    pub display_name: String,
}

/// What signing in gives.
#[derive(Deserialize)]
pub struct SessionInfo {
    /// The JWT.
    pub token: String,
    /// Gives further tokens.
    pub refresh: String,
    /// The login, as the list of sessions shows it.
    pub session_id: SessionId,
    /// Who signed in.
    pub user: UserInfo,
}

/// A connection to the box, signed in once it has a token.
pub struct Rest {
    agent: Agent,
    url: String,
    token: Option<String>,
    trust: Option<Trust>,
}

/// How an address over TLS begins.
const HTTPS: &str = "https://";

/// The address of a box, without a slash at the end.
fn origin(url: &str) -> Result<&str, MemberError> {
    let refuse = |problem| MemberError::Url { url: url.to_string(), problem };
    let trimmed = url.trim_end_matches('/');
    let host = trimmed.strip_prefix("http://").or_else(|| trimmed.strip_prefix(HTTPS));
    let host = host.ok_or_else(|| refuse("begin with http:// or https://"))?;
    if host.is_empty() || host.contains(['/', '#', '?', ' ']) {
        return Err(refuse("give the host and port only, as http://127.0.0.1:8080"));
    }
    Ok(trimmed)
}

fn agent(tls: TlsConfig) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .tls_config(tls);
    config.build().into()
}

#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
    #[serde(default)]
    hint: String,
}

impl Rest {
    /// To the box at `http://HOST[:PORT]` on this machine, or at `https://HOST[:PORT]`, for which
    /// somebody vouches: `None`, whoever this machine believes.
    pub fn new(url: &str, trust: Option<Trust>) -> Result<Rest, MemberError> {
        let url = origin(url)?;
        let mut tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider());
        if url.starts_with(HTTPS) {
            let trusted = trust.clone().map_or_else(Trust::machine, Ok)?.certificates()?;
            let trusted = trusted.iter().map(|one| Certificate::from_der(one).to_owned());
            tls = tls.root_certs(trusted.into());
        }
        Ok(Rest { agent: agent(tls.build()), url: url.to_string(), token: None, trust })
    }

    /// To whatever is at `https://HOST[:PORT]`: nothing that it says is proven.
    pub(super) fn unproven(url: &str) -> Result<Rest, MemberError> {
        let url = origin(url)?.to_string();
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider());
        let agent = agent(tls.disable_verification(true).build());
        Ok(Rest { agent, url, token: None, trust: None })
    }

    /// Whether the box is reached over TLS.
    pub fn over_tls(&self) -> bool {
        self.url.starts_with(HTTPS)
    }

    /// Who vouches for the box, where its person said so.
    pub fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// The address of the box, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The JWT, once signed in.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Acts with this token from now on.
    pub fn sign_in(&mut self, session: &SessionInfo) {
        self.token = Some(session.token.clone());
    }

    /// A new token for a session, and the refresh secret that takes the place of this one.
    pub fn refresh(&mut self, refresh: &str) -> Result<String, MemberError> {
        self.resume(refresh).map(|session| session.refresh)
    }

    /// The login of a refresh secret, renewed, with who it is.
    pub fn resume(&mut self, refresh: &str) -> Result<SessionInfo, MemberError> {
        let session: SessionInfo =
            self.post("/api/auth/refresh", &json!({ "refresh": refresh }))?;
        self.sign_in(&session);
        Ok(session)
    }

    /// GET.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, MemberError> {
        self.call("GET", path, None, &[])
    }

    /// GET of what is no JSON.
    pub fn get_bytes(&self, path: &str) -> Result<Vec<u8>, MemberError> {
        self.call_bytes("GET", path, None, &[])
    }

    /// GET with a header.
    pub fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        header: (&str, &str),
    ) -> Result<T, MemberError> {
        self.call("GET", path, None, &[header])
    }

    /// POST.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, MemberError> {
        self.call("POST", path, Some(self.json(path, body)?), &[])
    }

    /// PUT.
    pub fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, MemberError> {
        self.call("PUT", path, Some(self.json(path, body)?), &[])
    }

    /// PATCH.
    pub fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, MemberError> {
        self.call("PATCH", path, Some(self.json(path, body)?), &[])
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Result<(), MemberError> {
        self.call::<Value>("DELETE", path, None, &[]).map(drop)
    }

    fn json(&self, path: &str, body: &impl Serialize) -> Result<Vec<u8>, MemberError> {
        serde_json::to_vec(body).map_err(|error| self.unexpected(path, error.to_string()))
    }

    fn unexpected(&self, path: &str, problem: String) -> MemberError {
        MemberError::Answer { what: path.to_string(), problem }
    }

    fn unreachable(&self, problem: impl std::fmt::Display) -> MemberError {
        MemberError::Unreachable { url: self.url.clone(), problem: problem.to_string() }
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Result<T, MemberError> {
        let body = self.call_bytes(method, path, body, headers)?;
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body).map_err(|error| self.unexpected(path, error.to_string()))
    }

    fn call_bytes(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Result<Vec<u8>, MemberError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let malformed = |error: ureq::http::Error| self.unexpected(path, error.to_string());
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body).map_err(malformed)?)
            }
            None => self.agent.run(request.body(()).map_err(malformed)?),
        };
        self.read(path, response.map_err(|error| self.unreachable(error))?)
    }

    fn read(&self, path: &str, mut response: Response<Body>) -> Result<Vec<u8>, MemberError> {
        let body = response.body_mut().with_config().limit(wide(ANSWER_MAX)).read_to_vec();
        let body = body.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(match serde_json::from_slice(&body) {
                Ok(Refusal { code, message, hint }) => MemberError::Refused { code, message, hint },
                Err(_) => self.unexpected(path, format!("status {status} and no reason")),
            });
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_says_what_is_expected() {
        for url in ["hearth.local", "https://", "http://", "https://a/b", "http://a/b", "ftp://a"] {
            assert!(matches!(Rest::new(url, None), Err(MemberError::Url { .. })), "{url}");
        }
        let rest = Rest::new("http://127.0.0.1:8080/", None).unwrap();
        assert_eq!(rest.url(), "http://127.0.0.1:8080");
    }
}
