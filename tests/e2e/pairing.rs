//! A second machine gets the keys from the first, with the real binary on both sides and the box
//! between them; and somebody in the middle.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use hearth_gateway::member::Member;
use hearth_protocol::bytes::b64u;
use hearth_protocol::sealing::Secret;
use hearth_protocol::sealing::pairing::{Code, Ephemeral, Handed, Offer};
use serde_json::{Value, json};
use system_tests::House;
use system_tests::house::{binary, request};
use system_tests::shell::{OVER_TLS, good, refused, text};

fn hearth(house: &House, who: &str, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(["--profile", &house.beside(who)]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `hearth login --pair` while it waits; killed when dropped.
struct Asking {
    child: Child,
    out: BufReader<ChildStdout>,
    code: String,
    link: String,
}

impl Asking {
    fn at(house: &House, more: &[&str]) -> Asking {
        Asking::by(house, &house.url(), more)
    }

    fn by(house: &House, url: &str, more: &[&str]) -> Asking {
        let args = [&["login", url, "--pair", "--json"], more].concat();
        let mut child = hearth(house, "second", &args).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut asking = Asking { child, out, code: String::new(), link: String::new() };
        let shown = asking.line();
        asking.code = shown["typed"].as_str().unwrap().to_string();
        asking.link = shown["link"].as_str().unwrap().to_string();
        asking
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_default()
    }

    fn digits(&mut self) -> String {
        self.line()["digits"].as_str().expect("digits").to_string()
    }

    /// What it said at last, with what it complained about.
    fn end(mut self) -> (Value, Output) {
        let last = self.line();
        let mut child = std::mem::replace(&mut self.child, Command::new("true").spawn().unwrap());
        drop(child.stdin.take());
        (last, child.wait_with_output().unwrap())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `hearth pair CODE`, with these digits typed.
fn answer(house: &House, code: &str, digits: impl FnOnce() -> String) -> Output {
    let mut child = hearth(house, "ada", &["pair", code]).spawn().unwrap();
    let digits = digits();
    let typed = writeln!(child.stdin.take().unwrap(), "{digits}");
    // One that was refused before does not read.
    typed.ok();
    child.wait_with_output().unwrap()
}

fn logins(member: &Member) -> usize {
    let list: Value = member.rest().get("/api/auth/sessions").unwrap();
    list["sessions"].as_array().unwrap().len()
}

#[test]
fn a_second_machine_gets_keys_and_a_login_of_its_own_without_a_password() {
    let house = House::start();
    let mut ada = house.found("ada");
    let room = ada.room("General").unwrap();
    let mut session = ada.connect(&house.mqtt.into()).unwrap();
    ada.send(&mut session, &room, "from the first").unwrap();
    for (nth, by_link) in [(1, false), (2, true)] {
        let mut asking = Asking::at(&house, &["--user", "ada"]);
        let code = if by_link { asking.link.clone() } else { asking.code.to_lowercase() };
        let told = good(answer(&house, &code, || asking.digits()));
        assert!(told.contains("signed in as ada"), "{told}");
        let (last, output) = asking.end();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(last["rooms"][0]["name"], "General");
        assert_eq!(logins(&ada), 1 + nth, "a login of its own");
        let read =
            good(hearth(&house, "second", &["tail", "General", "--no-follow"]).output().unwrap());
        assert!(read.contains("ada: from the first"), "{read}");
    }
    good(hearth(&house, "second", &["send", "General", "from the second"]).output().unwrap());
    let lines = ada.reader(&room).unwrap().history(&mut ada, 50).unwrap();
    assert!(lines.iter().any(|line| line.text == "from the second" && line.name == "ada"));
}

#[test]
fn a_machine_elsewhere_gets_its_keys_over_tls_and_keeps_who_vouches_for_the_box() {
    let house = House::with(&OVER_TLS);
    let ada = house.found("ada");
    let mut asking = Asking::by(&house, &house.secure_url(), &["--fingerprint", &house.print()]);
    good(answer(&house, &asking.code.clone(), || asking.digits()));
    let (_, output) = asking.end();
    assert!(output.status.success(), "{output:?}");
    good(hearth(&house, "second", &["send", "General", "from elsewhere"]).output().unwrap());
    let read =
        good(hearth(&house, "second", &["tail", "General", "--no-follow"]).output().unwrap());
    assert!(read.contains("ada: from elsewhere"), "{read}");
    assert_eq!(logins(&ada), 2);
}

#[test]
fn who_types_other_digits_hands_over_nothing_and_both_sides_hear_of_it() {
    let house = House::start();
    let ada = house.found("ada");
    let mut asking = Asking::at(&house, &[]);
    let code = asking.code.clone();
    let told = answer(&house, &code, || {
        let right = asking.digits();
        if right == "000000" { "000001".into() } else { "000000".into() }
    });
    refused(&told, "nothing was handed over");
    let (_, output) = asking.end();
    refused(&output, "the digits differ");
    assert_eq!(logins(&ada), 1);
    assert!(!house.profile("second").join("account.json").exists());
    // Whoever says nothing has not said yes.
    let mut asking = Asking::at(&house, &[]);
    let code = asking.code.clone();
    let told = answer(&house, &code, || asking.digits()[..0].to_string());
    refused(&told, "nothing was handed over");
    assert_eq!(logins(&ada), 1);
}

/// The relay, as anybody on the network may use it.
fn put(house: &House, channel: &[u8; 16], message: &[u8]) -> (u16, Value) {
    let path = format!("/api/pair/{}", b64u(channel));
    request(house.http, "POST", &path, None, Some(json!({ "message": b64u(message) })))
}

fn offered(asking: &Asking) -> ([u8; 16], [u8; 32]) {
    match asking.link.parse().unwrap() {
        Code::Link(offer) => (offer.channel, offer.key),
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_in_the_middle_gets_no_keys() {
    let house = House::start();
    let ada = house.found("ada");
    // Mallory answers the new device before its owner does.
    let mut asking = Asking::at(&house, &[]);
    let (channel, _) = offered(&asking);
    let hers = Ephemeral::from_secret(&Secret::from_bytes([66; 32]));
    assert_eq!(put(&house, &channel, &hers.public()).0, 201);
    let digits = asking.digits();
    let code = asking.code.clone();
    refused(&answer(&house, &code, || digits), "somebody else has answered");
    drop(asking);
    // She puts the keys of a channel of her own between the two: its digits are others.
    let mut asking = Asking::at(&house, &[]);
    let between = Offer { channel: [67; 16], key: hers.public() };
    assert_eq!(put(&house, &between.channel, &between.key).0, 201);
    let (channel, _) = offered(&asking);
    assert_eq!(put(&house, &channel, &hers.public()).0, 201);
    let told = answer(&house, &between.typed(), || asking.digits());
    refused(&told, "somebody stands between the two devices");
    assert_eq!(logins(&ada), 1, "nobody was signed in");
}

#[test]
fn a_machine_that_is_handed_somebody_elses_account_keeps_nothing() {
    let house = House::start();
    drop(house.found("ada"));
    let mallory = house.person("mallory");
    let mut asking = Asking::at(&house, &["--user", "ada"]);
    let (channel, key) = offered(&asking);
    let offer = Offer { channel, key };
    let hers = Ephemeral::from_secret(&Secret::from_bytes([66; 32]));
    let public = hers.public();
    put(&house, &channel, &public);
    asking.digits();
    let (status, login) = house.call("POST", "/api/auth/sessions", Some(&mallory), Some(json!({})));
    assert_eq!(status, 201, "{login}");
    let root = Secret::from_bytes([68; 32]);
    let given = Handed::new(&root, login["refresh"].as_str().unwrap());
    let key = hers.agree(&offer.key, &offer, &public).unwrap();
    let sealed = key.seal(&given, &mut |out| out.fill(1)).unwrap();
    assert_eq!(put(&house, &channel, &sealed).1["number"], 3);
    let (_, output) = asking.end();
    refused(&output, "somebody else's");
    assert!(!house.profile("second").join("account.json").exists(), "{}", text(&output));
}
