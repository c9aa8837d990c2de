//! HTTPS with clients that others wrote: the house's own certificate, given ones, and what is said
//! in clear beyond loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::process::{Command, Stdio};

use system_tests::House;
use system_tests::house::command;

/// What curl says of an address: status, version, headers and body.
fn curl(args: &[&str]) -> (String, String) {
    let output = Command::new("curl")
        .args(["-s", "-S", "-i", "-m", "20", "-w", "\n%{http_code} HTTP/%{http_version}"])
        .args(args)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
    let (text, last) = text.rsplit_once('\n').unwrap();
    (last.to_string(), text.to_string() + &String::from_utf8_lossy(&output.stderr))
}

fn trust(house: &House) -> String {
    let printed = house.run(&["ca"], "");
    assert!(printed.status.success(), "{printed:?}");
    let file = house.profile("ca.crt");
    std::fs::write(&file, printed.stdout).unwrap();
    file.to_str().unwrap().to_string()
}

#[test]
fn https_is_trusted_by_the_houses_certificate_in_both_versions_of_http() {
    let house =
        House::with(&["--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--name", "den.home"]);
    let (trusted, port) = (trust(&house), house.https.unwrap().port());
    let ask = |version: &str, host: &str, more: &[&str]| {
        let (url, to) =
            (format!("https://{host}:{port}/health"), format!("{host}:{port}:127.0.0.1"));
        let args = [version, "--cacert", &trusted, "--resolve", &to, &url];
        curl(&[&args[..], more].concat())
    };
    for host in ["localhost", "hearth.local", "den.home", "127.0.0.1"] {
        let (status, text) = ask("--http2", host, &[]);
        assert_eq!(status, "200 http/2", "{host}: {text}");
        assert!(!text.contains("strict-transport-security"), "{text}");
        assert!(text.contains("content-security-policy: default-src 'none'"), "{text}");
    }
    assert_eq!(ask("--http1.1", "localhost", &[]).0, "200 http/1.1");
    let (status, text) = ask("--http1.1", "example.org", &[]);
    assert_eq!(status, "000 http/0", "{text}");
    // Headers beyond the limit, in HTTP/2 too.
    let large = format!("x: {}", "y".repeat(40_000));
    assert!(ask("--http2", "localhost", &["-H", &large]).0.starts_with("431"), "too large");
    // MQTT over TLS shows the same certificate.
    let shown = |port: u16| {
        let to = format!("127.0.0.1:{port}");
        let args = ["s_client", "-connect", &to, "-servername", "hearth.local", "-showcerts"];
        let output = Command::new("openssl").args(args).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split("-----END").next().unwrap().split("-----BEGIN").last().unwrap().to_string()
    };
    assert_eq!(shown(port), shown(house.mqtts.unwrap().port()));
}

#[test]
fn in_clear_beyond_loopback_there_is_only_how_to_trust_the_house() {
    let house = House::with(&["--https", "127.0.0.1:0", "--http", "0.0.0.0:0"]);
    let (clear, tls) = (house.more_http.unwrap().port(), house.https.unwrap().port());
    let at = |path: &str| format!("http://127.0.0.1:{clear}{path}");
    let printed = String::from_utf8(house.run(&["ca"], "").stdout).unwrap();
    let (status, page) = curl(&[&at("/")]);
    assert!(status.starts_with("200") && page.contains("trust"), "{page}");
    assert!(page.contains(&format!("https://127.0.0.1:{tls}")) && !page.contains("<script"));
    let (_, file) = curl(&[&at("/ca.crt")]);
    assert!(file.contains(printed.trim().to_lowercase().as_str()), "{file}");
    let (_, profile) = curl(&[&at("/ca.mobileconfig")]);
    assert!(profile.contains("application/x-apple-aspen-config"), "{profile}");
    assert!(profile.contains("com.apple.security.root"));
    assert!(curl(&[&at("/health")]).0.starts_with("200"));
    for path in ["/api/settings", "/rooms?a=b", "/api/openapi.json", "/metrics"] {
        let (status, text) = curl(&[&at(path)]);
        let place = format!("location: https://127.0.0.1:{tls}{path}\r");
        assert!(status.starts_with("307") && text.contains(&place), "{path}: {text}");
    }
    // A name that is not the house's is not sent on to.
    let (_, text) = curl(&["-H", "Host: evil.example", &at("/x")]);
    assert!(text.contains(&format!("location: https://hearth.local:{tls}/x")), "{text}");
    let (status, text) = curl(&["-d", "{}", &at("/api/auth/login")]);
    assert!(status.starts_with("403") && text.contains("use_https"), "{text}");
    let upgrade = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"];
    let mqtt = curl(&[&upgrade[..], &[&at("/mqtt")]].concat()).0;
    assert!(mqtt.starts_with("307"), "{mqtt}");
    // Without TLS, or told so, it is another matter.
    let said = |args: &[&str]| command(&house.profile("other"), args, "");
    let refused = said(&["serve", "--http", "0.0.0.0:0", "--mqtt", "127.0.0.1:0"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--https"), "{refused:?}");
    let open = House::with(&["--https", "127.0.0.1:0", "--http", "0.0.0.0:0", "--insecure"]);
    let port = open.more_http.unwrap().port();
    let setup = format!("http://127.0.0.1:{port}/api/setup");
    assert!(curl(&[&setup]).0.starts_with("200"));
}

#[test]
fn a_given_certificate_makes_browsers_come_by_tls_only_and_has_no_page_of_trust() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (cert, key) = (file("one.crt"), file("one.key"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=den.example", "-addext"])
        .args(["subjectAltName=DNS:den.example", "-out", &cert, "-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success() && Path::new(&cert).exists(), "{made:?}");
    let files = ["--tls-cert", &cert, "--tls-key", &key, "--name", "den.example"];
    let house =
        House::with(&[&files[..], &["--https", "127.0.0.1:0", "--http", "0.0.0.0:0"]].concat());
    let (clear, tls) = (house.more_http.unwrap().port(), house.https.unwrap().port());
    let to = format!("den.example:{tls}:127.0.0.1");
    let url = format!("https://den.example:{tls}/health");
    let (status, text) = curl(&["--cacert", &cert, "--resolve", &to, &url]);
    assert_eq!(status, "200 http/2", "{text}");
    assert!(text.contains("strict-transport-security: max-age="), "{text}");
    let (_, text) = curl(&["-H", "Host: den.example", &format!("http://127.0.0.1:{clear}/")]);
    assert!(text.contains(&format!("location: https://den.example:{tls}/")), "{text}");
}
