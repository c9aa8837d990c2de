//! A QR code in a terminal.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Half-block characters, two modules high; an empty text if it holds too much for a code.
pub fn terminal(text: &str) -> String {
    match QrCode::with_error_correction_level(text, EcLevel::L) {
        // Most terminals are dark: the background is the dark module, a block the light one.
        Ok(code) => code
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build(),
        Err(_) => String::new(),
    }
}
