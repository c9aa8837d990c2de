//! Rights to plain MQTT topics, outside Hearth's own: `homeassistant/#` for a device or an
//! integration (design §4).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::topic::{self, PREFIX, TopicError};

/// Why a filter cannot be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It is no filter.
    #[error(transparent)]
    Filter(#[from] TopicError),
    /// It would reach topics that nobody grants.
    #[error("a grant begins with a name: not with +, # or $, and not with `hearth`")]
    FirstLevel,
}

/// A filter that can be granted: its first level is a name, neither `hearth` nor of `$`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
pub struct GrantFilter(String);

impl GrantFilter {
    /// Whether every topic under a filter is granted.
    pub fn covers(&self, filter: &str) -> bool {
        topic::covers(&self.0, filter)
    }

    /// Whether a topic is granted.
    pub fn matches(&self, topic: &str) -> bool {
        topic::matches(&self.0, topic)
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GrantFilter {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        topic::check_filter(&text)?;
        let first = text.split('/').next().unwrap_or_default();
        if first == PREFIX.trim_end_matches('/') || first.starts_with(['+', '#', '$']) {
            return Err(GrantError::FirstLevel);
        }
        Ok(Self(text))
    }
}

impl From<GrantFilter> for String {
    fn from(filter: GrantFilter) -> String {
        filter.0
    }
}

impl fmt::Display for GrantFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// To subscribe and receive.
    Read,
    /// To publish.
    Write,
    /// To do either.
    Both,
}

impl Access {
    /// Whether it lets somebody subscribe and receive.
    pub const fn reads(self) -> bool {
        matches!(self, Access::Read | Access::Both)
    }

    /// Whether it lets somebody publish.
    pub const fn writes(self) -> bool {
        matches!(self, Access::Write | Access::Both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_filters_that_begin_with_a_name_of_their_own_are_granted() {
        for good in ["a", "homeassistant/#", "a/+/b", "hearthstone/#", "/a", "a/$b"] {
            let filter = GrantFilter::try_from(good.to_string()).unwrap();
            assert_eq!(String::from(filter), good);
        }
        for bad in ["#", "+", "+/a", "hearth", "hearth/#", "hearth/rooms", "$SYS/#", "$share/g/a"] {
            let filter = GrantFilter::try_from(bad.to_string());
            assert_eq!(filter, Err(GrantError::FirstLevel), "{bad}");
        }
        let filter = GrantFilter::try_from("a/#/b".to_string());
        assert_eq!(filter, Err(GrantError::Filter(TopicError::BadWildcard)));
        assert!(serde_json::from_str::<GrantFilter>(r##""#""##).is_err());
    }
}
