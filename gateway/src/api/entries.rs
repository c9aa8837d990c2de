//! How many entries of a list are sent: as many as somebody asks for, within no more bytes than one
//! answer may have, and at least one. What is left out belongs to the next page. (Bytes of pages of
//! history: [`crate::history::fit`].)

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::app::App;
use crate::error::ApiError;

/// How many entries of a list somebody asked for: 1 to `page_entries_max`, half of that when they
/// do not say.
pub fn entries_limit(app: &App, asked: Option<usize>) -> Result<usize, ApiError> {
    let max = app.limits.page_entries_max;
    limit_within(asked, max.div_ceil(2), max)
}

/// How many messages: 1 to `page_messages_max`, `page_messages_default` when they do not say.
pub fn messages_limit(app: &App, asked: Option<usize>) -> Result<usize, ApiError> {
    limit_within(asked, app.limits.page_messages_default, app.limits.page_messages_max)
}

/// How many of something somebody asked for: 1 to `max`, and `usual` when they do not say.
pub fn limit_within(asked: Option<usize>, usual: usize, max: usize) -> Result<usize, ApiError> {
    let limit = asked.unwrap_or(usual);
    if (1..=max).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::invalid("bad_limit", format!("limit is 1 to {max}")))
}

/// The first entries that together have at most so many bytes as JSON.
pub fn first_within<T: Serialize>(
    entries: impl IntoIterator<Item = T>,
    bytes_max: usize,
) -> Result<Vec<Box<RawValue>>, ApiError> {
    let (mut kept, mut bytes) = (vec![], 0);
    for entry in entries {
        let json = to_raw_value(&entry).map_err(|error| ApiError::unwritable(&error))?;
        bytes += json.get().len();
        if bytes > bytes_max && !kept.is_empty() {
            break;
        }
        kept.push(json);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_entries_go_as_fit_and_one_always() {
        let kept = |bytes_max| {
            let kept = first_within(["aaaa", "bb", "c"], bytes_max).unwrap();
            kept.iter().map(|json| json.get().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(kept(0), ["\"aaaa\""]);
        assert_eq!(kept(9), ["\"aaaa\""]);
        assert_eq!(kept(10), ["\"aaaa\"", "\"bb\""]);
        assert_eq!(kept(13).len(), 3);
    }
}
