//! A no to a request or a publish: the protocol's `Refusal`, and what becomes one.

use hearth_protocol::ids::IdError;
use hearth_protocol::refusal::{Kind, Refusal};
use hearth_protocol::sealing::SealingError;
use hearth_store::{Rule, StoreError};

/// What handlers return instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError(pub Refusal);

impl ApiError {
    /// A no without a hint.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self(Refusal::new(kind, code, message))
    }

    /// 400: a field that is not what it should be.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, code, message)
    }

    /// 404: not there, or not for the asker to know.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("there is no such {what}"))
    }

    /// 409: the state does not allow it.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, code, message)
    }

    /// 403: not for this role.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, "forbidden", message)
    }

    /// 503: an answer that is no JSON, which no answer is.
    pub fn unwritable(error: &serde_json::Error) -> Self {
        Self::new(Kind::Unavailable, "unwritable_answer", error.to_string())
    }

    /// The same no with a remedy.
    #[must_use]
    pub fn hint(self, hint: &'static str) -> Self {
        Self(self.0.hint(hint))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<ApiError> for Refusal {
    fn from(ApiError(refusal): ApiError) -> Self {
        refusal
    }
}

impl From<IdError> for ApiError {
    fn from(error: IdError) -> Self {
        Self::invalid("bad_id", error.to_string())
    }
}

/// What sealed things the box can check and found wanting.
impl From<SealingError> for ApiError {
    fn from(error: SealingError) -> Self {
        Self::invalid("bad_sealed", error.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::NameTaken { .. } => Self::conflict("name_taken", text),
            StoreError::IdTaken { .. } => {
                Self::conflict("id_taken", text).hint("an id is used once; make a new one")
            }
            StoreError::Stale { .. } => Self::conflict("changed_meanwhile", text)
                .hint("somebody was quicker; read again and retry"),
            StoreError::NotFound { .. } => Self::new(Kind::NotFound, "not_found", text),
            StoreError::Gone { .. } => Self::new(Kind::Gone, "gone", text),
            StoreError::Rule(rule) => rule_error(&rule, text),
            StoreError::LimitReached { .. } => Self::conflict("limit_reached", text),
            StoreError::QuotaFull { .. } => Self::conflict("quota_full", text),
            StoreError::BadType { .. } => Self::invalid("bad_type", text),
            StoreError::Invalid { .. } => Self::invalid("not_possible", text),
            StoreError::TooMuch { .. } => Self::invalid("bad_keep", text),
            StoreError::TooLarge { unit: "characters", .. } => Self::invalid("too_long", text),
            StoreError::TooLarge { .. } => Self::new(Kind::TooLarge, "too_large", text),
            StoreError::BrokenOff { .. } => Self::invalid("broke_off", text),
            other => {
                tracing::error!(error = %other, "the store refused");
                Self::new(Kind::Unavailable, "store_unavailable", text)
                    .hint("the box's log and `hearth doctor` say more")
            }
        }
    }
}

fn rule_error(rule: &Rule, text: String) -> ApiError {
    match rule {
        Rule::NoMessage => ApiError::new(Kind::NotFound, "no_such_message", text),
        Rule::NotAMessage => ApiError::conflict("not_a_message", text),
        Rule::Erased => ApiError::new(Kind::Gone, "message_erased", text),
        Rule::NotOwn => ApiError::forbidden(text),
        Rule::EditWindowOver { .. } => ApiError::conflict("edit_window_over", text),
        Rule::BadName { .. } => ApiError::invalid("bad_name", text),
        Rule::BadEmoji { .. } => ApiError::invalid("bad_emoji", text),
        Rule::Banned => ApiError::new(Kind::Forbidden, "banned", text),
        Rule::Blocked => crate::blocks::unreachable(),
        Rule::Reported => ApiError::conflict("already_reported", text),
        Rule::LastOwner => ApiError::conflict("last_owner", text),
        Rule::General => ApiError::conflict("general_is_everyones", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_a_type_that_is_not_taken_is_told_with_what_is() {
        let limits = hearth_protocol::limits::Limits::default();
        let name = hearth_store::users::check_name("ab", &limits).unwrap_err();
        let kind = StoreError::BadType { what: "an avatar", taken: "image/png".into() };
        for (error, code, says) in [(name, "bad_name", "3 to 20"), (kind, "bad_type", "image/png")]
        {
            let ApiError(refusal) = error.into();
            assert_eq!((refusal.kind, refusal.code), (Kind::Invalid, code));
            assert!(refusal.message.contains(says), "{}", refusal.message);
        }
    }
}
