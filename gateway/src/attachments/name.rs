//! A file's name: what of it is kept, and how it is told in a header.

use super::kind::FileType;

/// The name under which a file is kept: without folders and control characters, of at most
/// `bytes_max` bytes, and with an ending of its type, so that no program takes it for another.
pub(super) fn kept(given: Option<&str>, kind: FileType, bytes_max: usize) -> String {
    let given = given.unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|letter| !is_hidden(*letter)).collect();
    let plain = plain.trim().trim_end_matches('.');
    let plain = if plain.trim_matches('.').is_empty() { "file" } else { plain };
    let usual = kind.endings().first().copied().unwrap_or_default();
    let fits = plain.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty() && kind.endings().contains(&ending.to_ascii_lowercase().as_str())
    });
    let (stem, ending) = match plain.rsplit_once('.') {
        Some(cut) if fits => cut,
        _ => (plain, usual),
    };
    let room = bytes_max.saturating_sub(ending.len() + 1);
    let end = (0..=room.min(stem.len())).rev().find(|at| stem.is_char_boundary(*at));
    format!("{}.{ending}", &stem[..end.unwrap_or_default()])
}

/// Control characters, and those that turn the direction of text: `gpj.exe` would read `exe.jpg`.
fn is_hidden(letter: char) -> bool {
    let turns = ['\u{200e}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}'];
    letter.is_control() || turns.iter().any(|some| some.contains(&letter))
}

/// A `Content-Disposition` with the name in ASCII for old clients and in full (RFC 6266 §4.3,
/// RFC 8187).
pub(super) fn disposition(kind: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| match letter {
            '"' | '\\' | '%' => '_',
            ' '..='~' => letter,
            _ => '_',
        })
        .collect();
    let mut full = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            full.push(char::from(byte));
        } else {
            full.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_and_ends_as_its_type() {
        let cases = [
            (None, "file.jpg"),
            (Some(""), "file.jpg"),
            (Some(".."), "file.jpg"),
            (Some("holiday.jpg"), "holiday.jpg"),
            (Some("HOLIDAY.JPEG"), "HOLIDAY.JPEG"),
            (Some("C:\\photos\\a.jpg"), "a.jpg"),
            (Some("../../etc/passwd"), "passwd.jpg"),
            (Some("page.html"), "page.html.jpg"),
            (Some(".jpg"), ".jpg.jpg"),
            (Some("run.exe."), "run.exe.jpg"),
            (Some("a\r\nSet-Cookie: b.jpg"), "aSet-Cookie: b.jpg"),
            (Some("\u{202e}gpj.exe"), "gpj.exe.jpg"),
            (Some("Käse 🧀.jpg"), "Käse 🧀.jpg"),
        ];
        for (given, expected) in cases {
            assert_eq!(kept(given, FileType::Jpeg, 255), expected, "{given:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_letters_before_its_ending() {
        let long = format!("{}.PDF", "ä".repeat(200));
        let name = kept(Some(&long), FileType::Pdf, 255);
        assert!(name.len() == 254 && name.ends_with("ä.PDF"), "{name}");
        assert_eq!(kept(Some("abcdefgh.pdf"), FileType::Pdf, 12), "abcdefgh.pdf");
        assert_eq!(kept(Some("abcdefgh.pdf"), FileType::Pdf, 11), "abcdefg.pdf");
    }

    #[test]
    fn a_header_has_the_name_twice() {
        assert_eq!(
            disposition("attachment", "a \"Käse\".pdf"),
            "attachment; filename=\"a _K_se_.pdf\"; filename*=UTF-8''a%20%22K%C3%A4se%22.pdf"
        );
    }
}
