//! What the page and the profile say.

use super::words::{Tongue, Words};
use crate::api::reply::escaped;

/// The page "trust this house".
pub fn html(house: &str, fingerprint: &str, https: &str, tongue: Tongue) -> String {
    let (house, https) = (escaped(house), escaped(https));
    let words = tongue.words();
    let [title, why] = [words.title, words.why].map(|text| text.replace("{house}", &house));
    let print = fingerprint.replace(':', ":<wbr>");
    let devices = words.devices.iter().map(|(device, steps)| {
        let steps: String = steps.iter().map(|step| format!("<li>{step}</li>")).collect();
        format!("<h2>{device}</h2><ol>{steps}</ol>")
    });
    let devices: String = devices.collect();
    let Words { lang, compare, fingerprint, then, .. } = words;
    format!(
        "<!doctype html><html lang={lang}><meta charset=utf-8>\
<meta name=viewport content=\"width=device-width\"><title>{title}</title>\
<style>body{{font:17px/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;\
color:#222;background:#fff}}code{{font:15px/1.5 ui-monospace,monospace;display:block;\
padding:.75rem;background:#f4f4f2}}h2{{margin:1.75rem 0 .25rem;font-size:1.1rem}}\
ol{{margin:.25rem 0}}@media(prefers-color-scheme:dark){{body{{color:#ddd;background:#1b1b1a}}\
code{{background:#262624}}a{{color:#9cf}}}}</style>\
<h1>{title}</h1><p>{why}</p><h2>{compare}</h2><p>{fingerprint}</p><code>{print}</code>{devices}\
<h2>{then}</h2><p><a href=\"{https}\">{https}</a></p></html>\n"
    )
}

/// A profile of Apple's (Configuration Profile Reference, com.apple.security.root), with the
/// certificate's bytes in base64.
pub fn profile(der: &str, profile: &str, certificate: &str) -> String {
    let entry = |key: &str, value: &str| format!("<key>{key}</key><string>{value}</string>\n");
    let one = [
        entry("PayloadType", "com.apple.security.root"),
        entry("PayloadIdentifier", &format!("hearth.house.{certificate}")),
        entry("PayloadUUID", certificate),
        entry("PayloadDisplayName", "Hearth house"),
        entry("PayloadCertificateFileName", "ca.crt"),
    ];
    let all = [
        entry("PayloadType", "Configuration"),
        entry("PayloadIdentifier", &format!("hearth.house.{profile}")),
        entry("PayloadUUID", profile),
        entry("PayloadDisplayName", "Trust this Hearth house"),
        entry("PayloadDescription", "Lets this device know the house's own websites."),
    ];
    const VERSION: &str = "<key>PayloadVersion</key><integer>1</integer>\n";
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\"><dict>\n{}{VERSION}<key>PayloadContent</key><array><dict>\n\
         {}{VERSION}<key>PayloadContent</key><data>\n{der}\n</data>\n</dict></array>\n\
         </dict></plist>\n",
        all.concat(),
        one.concat()
    )
}

/// The first 16 bytes of a hash, as a UUID of version 8 (RFC 9562 §5.8).
pub fn uuid(hash: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
