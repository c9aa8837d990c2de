//! MQTT over TLS with clients that others wrote: the house's own certificates and given ones.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use system_tests::house::command;
use system_tests::{House, Person};

/// A stock client at the TLS port, who trusts what is in a file.
fn client(program: &str, house: &House, host: &str, who: &Person, trust: &Path) -> Command {
    let port = house.mqtts.unwrap().port().to_string();
    let mut client = Command::new("stdbuf");
    client.args(["-oL", program, "-h", host, "-p", &port, "-q", "1"]);
    client.args(["-u", &who.name, "-P", &who.token, "--cafile"]).arg(trust);
    client
}

fn publish(house: &House, host: &str, who: &Person, trust: &Path, args: &[&str]) -> Output {
    client("mosquitto_pub", house, host, who, trust).args(args).output().unwrap()
}

fn get(http: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(http).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn mosquitto_clients_that_trust_the_house_talk_to_it_over_tls_in_each_version() {
    let mut house = House::with(&["--mqtts", "127.0.0.1:0"]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let (inlet, outlet) = (format!("hearth/rooms/{room}/in"), format!("hearth/rooms/{room}/out"));
    let printed = house.run(&["ca"], "");
    assert!(printed.status.success(), "{printed:?}");
    let trust = house.profile("ca.crt");
    std::fs::write(&trust, &printed.stdout).unwrap();
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.starts_with("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE"));
    assert!(get(house.http, "/ca.crt").ends_with(&text), "the page gives the same");
    for (version, host) in [("mqttv311", "127.0.0.1"), ("mqttv5", "localhost")] {
        let mut child = client("mosquitto_sub", &house, host, &anna, &trust)
            .args(["-d", "-V", version, "-t", &outlet, "-C", "1"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("Subscribed")), "mosquitto_sub ended early");
        let text = format!("in {version}");
        let sent =
            publish(&house, host, &anna, &trust, &["-V", version, "-t", &inlet, "-m", &text]);
        assert!(sent.status.success(), "{sent:?}");
        let got = lines.find_map(|line| serde_json::from_str::<Value>(&line).ok()).unwrap();
        assert_eq!(got["content"], json!(text));
        assert!(child.wait().unwrap().success());
    }
    // Another start, the same house.
    house.stop();
    house.restart();
    let sent = publish(&house, "localhost", &anna, &trust, &["-t", &inlet, "-m", "again"]);
    assert!(sent.status.success(), "{sent:?}");
    // Another house is not this one.
    let stranger = House::with(&["--mqtts", "127.0.0.1:0"]);
    let sent = publish(&stranger, "localhost", &anna, &trust, &["-t", &inlet, "-m", "x"]);
    let said = String::from_utf8_lossy(&sent.stderr).to_lowercase();
    assert!(!sent.status.success() && said.contains("tls error"), "{sent:?}");
}

#[test]
fn a_given_certificate_is_shown_and_what_does_not_fit_is_said_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    for name in ["one", "other"] {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-out", &file(&format!("{name}.crt")), "-keyout", &file(&format!("{name}.key"))])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
    }
    let (cert, key) = (file("one.crt"), file("one.key"));
    let house = House::with(&["--mqtts", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key]);
    let anna = house.person("anna");
    let room = house.open_room(&anna, "Kitchen");
    let topic = format!("hearth/rooms/{room}/in");
    let sent = publish(&house, "localhost", &anna, Path::new(&cert), &["-t", &topic, "-m", "x"]);
    assert!(sent.status.success(), "{sent:?}");

    let data = folder.path().join("data");
    let said = |args: &[&str], code: i32| {
        let always = ["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"];
        let output = command(&data, &[&always, args].concat(), "");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let with = |cert: &str, key: &str| {
        said(&["--mqtts", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key], 1)
    };
    let missing = with(&file("none"), &key);
    assert!(missing.contains("--tls-cert") && missing.contains("may read"), "{missing}");
    let swapped = with(&key, &cert);
    assert!(swapped.contains("holds no certificate"), "{swapped}");
    let no_key = with(&cert, &cert);
    assert!(no_key.contains("--tls-key") && no_key.contains("no private key"), "{no_key}");
    let foreign = with(&cert, &file("other.key"));
    assert!(foreign.contains("the key it was made for"), "{foreign}");
    let taken = said(&["--mqtts", &house.mqtts.unwrap().to_string()], 1);
    assert!(taken.contains("--mqtts") && taken.contains("give another address"), "{taken}");
    said(&["--mqtts", "127.0.0.1:0", "--tls-cert", &cert], 2);
    said(&["--tls-cert", &cert, "--tls-key", &key], 2);
}
