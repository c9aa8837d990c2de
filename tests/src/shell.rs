//! A person at a shell: the first one of a house, what a command said, a key of the program age.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::process::{Command, Output};

use hearth_gateway::member::Member;

use crate::House;

/// Everybody's here.
pub const PASSWORD: &str = "correct horse";

/// What a house needs to be reached over TLS.
pub const OVER_TLS: [&str; 6] =
    ["--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--name", "localhost"];

/// What a command printed, and what it complained about.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// What a command printed that went well.
pub fn good(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    text(&output)
}

/// A command failed and said why.
pub fn refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(output).contains(why), "{}", text(output));
}

/// Makes a key file by the stock command; its recipient.
pub fn stock_key(path: &str) -> String {
    let made = Command::new("age-keygen").args(["-o", path]).output().expect("age is installed");
    let made = text(&made);
    let recipient = made.split_whitespace().find(|word| word.starts_with("age1"));
    recipient.expect("age-keygen prints a recipient").to_string()
}

impl House {
    /// Its address over TLS.
    pub fn secure_url(&self) -> String {
        format!("https://localhost:{}", self.https.expect("HTTPS").port())
    }

    /// The fingerprint of its certificate.
    pub fn print(&self) -> String {
        let printed = text(&self.run(&["ca"], ""));
        printed.rsplit_once("SHA-256 ").expect("a fingerprint").1.trim().to_string()
    }

    /// A path beside the house's data.
    pub fn beside(&self, name: &str) -> String {
        self.profile(name).to_str().unwrap().to_string()
    }

    /// The house's first person, with a profile of this name.
    pub fn found(&self, name: &str) -> Member {
        let setup = self.setup.as_deref().expect("a set-up link");
        let (_, secret) = setup.split_once('#').unwrap();
        let profile = self.profile(name);
        Member::set_up(&self.url(), secret, "Home", name, PASSWORD, &profile).unwrap().0
    }
}
