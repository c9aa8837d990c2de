//! What a file is, by its bytes and not by its name: the types of seed 004 and no other.

/// How many of the first bytes tell it: the names in a zip file that make it a docx come early.
pub(super) const HEAD_BYTES: usize = 8 * 1024;

/// A type that is taken where the box can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
    /// PDF.
    Pdf,
    /// Word until 2003: a compound file with a stream `WordDocument` ([MS-DOC] §2.1.1).
    Doc,
    /// Word since 2007: a zip file with a folder `word` (ECMA-376).
    Docx,
    /// ZIP.
    Zip,
}

/// The types of an attachment, for people.
pub const TAKEN: &str = "jpg, png, gif, webp, pdf, doc, docx, zip";
/// Those of an avatar.
pub const TAKEN_AVATAR: &str = "jpg, png, gif, webp";

impl FileType {
    /// The type of a file that begins like this; whether a doc is one, [`WordMark`] says.
    pub fn of(head: &[u8]) -> Option<FileType> {
        let begins = |magic: &[u8]| head.starts_with(magic);
        if begins(b"\xff\xd8\xff") {
            Some(FileType::Jpeg)
        } else if begins(b"\x89PNG\r\n\x1a\n") {
            Some(FileType::Png)
        } else if begins(b"GIF87a") || begins(b"GIF89a") {
            Some(FileType::Gif)
        } else if begins(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            Some(FileType::Webp)
        } else if begins(b"%PDF-") {
            Some(FileType::Pdf)
        } else if begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            Some(FileType::Doc)
        } else if begins(ZIP_ENTRY) {
            Some(if has_word_folder(head) { FileType::Docx } else { FileType::Zip })
        } else if begins(b"PK\x05\x06") {
            // A zip file with nothing in it.
            Some(FileType::Zip)
        } else {
            None
        }
    }

    /// Its MIME type.
    pub const fn mime(self) -> &'static str {
        match self {
            FileType::Jpeg => "image/jpeg",
            FileType::Png => "image/png",
            FileType::Gif => "image/gif",
            FileType::Webp => "image/webp",
            FileType::Pdf => "application/pdf",
            FileType::Doc => "application/msword",
            FileType::Docx => {
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            }
            FileType::Zip => "application/zip",
        }
    }

    /// What the names of such files end with, the usual ending first.
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            FileType::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            FileType::Png => &["png"],
            FileType::Gif => &["gif"],
            FileType::Webp => &["webp"],
            FileType::Pdf => &["pdf"],
            FileType::Doc => &["doc", "dot"],
            FileType::Docx => &["docx", "zip"],
            FileType::Zip => &["zip", "docx"],
        }
    }

    /// Whether it is shown in the page.
    pub const fn is_image(self) -> bool {
        matches!(self, FileType::Jpeg | FileType::Png | FileType::Gif | FileType::Webp)
    }
}

/// Whether a MIME type is one of the pictures that are taken.
pub fn is_image(mime: Option<&str>) -> bool {
    mime.is_some_and(|mime| mime.starts_with("image/"))
}

const ZIP_ENTRY: &[u8] = b"PK\x03\x04";

/// Whether an entry of a zip file that begins within this lies in the folder `word`
/// (APPNOTE §4.3.7: the name's length at byte 26, the name at byte 30).
fn has_word_folder(head: &[u8]) -> bool {
    head.windows(ZIP_ENTRY.len()).enumerate().any(|(at, some)| {
        let name = at.saturating_add(30);
        some == ZIP_ENTRY && head.get(name..).is_some_and(|name| name.starts_with(b"word/"))
    })
}

/// Looks for the name of Word's stream in a compound file, of which other programs' files are too.
#[derive(Debug, Default)]
pub(super) struct WordMark {
    /// The last bytes of what was seen, one less than the name has.
    tail: Vec<u8>,
    found: bool,
}

impl WordMark {
    /// Looks at the next bytes.
    pub fn see(&mut self, bytes: &[u8]) {
        // The name as UTF-16LE ([MS-CFB] §2.6.1).
        let name: Vec<u8> = "WordDocument".bytes().flat_map(|letter| [letter, 0]).collect();
        let holds = |bytes: &[u8]| bytes.windows(name.len()).any(|some| some == name);
        if self.found {
            return;
        }
        let early = bytes.get(..name.len()).unwrap_or(bytes);
        let border = [&self.tail, early].concat();
        self.found = holds(&border) || holds(bytes);
        self.tail.extend_from_slice(bytes);
        let over = self.tail.len().saturating_sub(name.len() - 1);
        self.tail.drain(..over);
    }

    /// Whether it was there.
    pub fn found(&self) -> bool {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry of a zip file.
    pub fn entry(name: &str) -> Vec<u8> {
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        [ZIP_ENTRY, &[0; 22], &length, &[0; 2], name.as_bytes()].concat()
    }

    #[test]
    fn a_type_is_known_by_its_bytes() {
        let docx = [entry("[Content_Types].xml"), entry("word/document.xml")].concat();
        let sheet = [entry("[Content_Types].xml"), entry("xl/workbook.xml")].concat();
        let known: [(&[u8], FileType); 10] = [
            (b"\xff\xd8\xff\xe0", FileType::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0", FileType::Png),
            (b"GIF87a", FileType::Gif),
            (b"GIF89a;", FileType::Gif),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", FileType::Webp),
            (b"%PDF-1.7", FileType::Pdf),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileType::Doc),
            (b"PK\x05\x06\0\0", FileType::Zip),
            (&docx, FileType::Docx),
            (&sheet, FileType::Zip),
        ];
        for (head, expected) in known {
            assert_eq!(FileType::of(head), Some(expected));
            assert_eq!(is_image(Some(expected.mime())), expected.is_image());
        }
        let others: [&[u8]; 9] = [
            b"",
            b"<svg xmlns=",
            b"<!doctype html>",
            b"MZ\x90\0",
            b"\x7fELF",
            b" %PDF-1.7",
            b"RIFF\x01\x02\x03\x04WAVE",
            b"\x89PNG",
            b"age-encryption.org/v1\n",
        ];
        for head in others {
            assert_eq!(FileType::of(head), None, "{head:?}");
        }
    }

    #[test]
    fn words_mark_is_found_wherever_the_pieces_are_cut() {
        let mut file = vec![7; 100];
        file.extend("WordDocument".encode_utf16().flat_map(u16::to_le_bytes));
        file.extend([9; 50]);
        for size in [1, 2, 5, 23, 24, 25, 60, 113, 174] {
            let mut mark = WordMark::default();
            file.chunks(size).for_each(|bytes| mark.see(bytes));
            assert!(mark.found(), "pieces of {size}");
            let mut mark = WordMark::default();
            file[..123].chunks(size).for_each(|bytes| mark.see(bytes));
            assert!(!mark.found(), "the last byte is missing, pieces of {size}");
        }
    }
}
