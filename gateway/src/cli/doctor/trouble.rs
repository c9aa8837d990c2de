//! Damage that the box met since it started, and the last error of its database.

use super::Finding;
use crate::trouble::Trouble;

const MINUTE_MS: u64 = 60_000;

/// What is known of damage and of errors.
pub(super) fn findings(damaged: usize, trouble: Option<Trouble>, now_ms: u64) -> Vec<Finding> {
    let bad = |text: String| Finding { good: false, text };
    let mut findings = vec![];
    if damaged > 0 {
        findings.push(bad(format!(
            "{damaged} stretches of history do not read, all around them does: check the disk; \
             `hearth restore BACKUP` has what was there when the backup was made"
        )));
    }
    if let Some(Trouble { at, what, remedy, .. }) = trouble {
        let minutes = now_ms.saturating_sub(at) / MINUTE_MS;
        findings.push(bad(format!("{minutes} minutes ago: {what}: {remedy}")));
    }
    if findings.is_empty() {
        let text = "the database met no damage and no error since the box started";
        findings.push(Finding { good: true, text: text.to_string() });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_and_errors_of_the_database_are_bad_and_come_with_a_remedy() {
        let none = findings(0, None, 0);
        assert!(none.len() == 1 && none[0].good, "{}", none[0].text);
        let trouble = serde_json::json!({
            "at": 60_000, "what": "the disk refused: bus error", "remedy": "replace it",
            "over": "restarted",
        });
        let both = findings(2, Some(serde_json::from_value(trouble).unwrap()), 7 * 60_000);
        assert!(both.iter().all(|finding| !finding.good));
        assert!(both[0].text.starts_with("2 stretches") && both[0].text.contains("hearth restore"));
        assert_eq!(both[1].text, "6 minutes ago: the disk refused: bus error: replace it");
    }
}
