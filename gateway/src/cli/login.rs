//! `hearth login`: with the password, or by pairing ([`super::pairing`]).

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::house::read_password;
use super::member::Setting;
use super::{Failure, pairing};
use crate::member::rest::Rest;
use crate::member::trust::Trust;
use crate::member::{Member, MemberError};

/// `hearth login`
#[derive(Args)]
pub struct LoginArgs {
    /// The box, as http://127.0.0.1:8080 on the box itself, or https://ADDRESS elsewhere.
    url: String,
    /// Your user name.
    #[arg(long, value_name = "NAME", required_unless_present = "pair")]
    user: Option<String>,
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Without a password: a device that is signed in hands over the keys.
    #[arg(long, conflicts_with = "password_stdin")]
    pair: bool,
    /// Who vouches for the box over TLS: the house's certificate (`hearth ca`), or another's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The fingerprint of the house's certificate, as `hearth ca` prints it: the box hands out the
    /// certificate.
    #[arg(long, value_name = "SHA-256", conflicts_with = "ca")]
    fingerprint: Option<String>,
}

impl LoginArgs {
    /// The box, with who vouches for it.
    fn rest(&self) -> Result<Rest, MemberError> {
        let trust = match (&self.ca, &self.fingerprint) {
            (Some(file), _) => Some(Trust::file(file)?),
            (None, Some(print)) => Some(Trust::with_fingerprint(&self.url, print)?),
            (None, None) => None,
        };
        Rest::new(&self.url, trust)
    }
}

/// Runs `hearth login`.
pub fn login(setting: &Setting, args: &LoginArgs) -> Result<(), Failure> {
    let user = args.user.as_deref();
    let Some(name) = user.filter(|_| !args.pair) else {
        return pairing::ask(setting, args.rest()?, user);
    };
    let rest = args.rest()?;
    let password = Zeroizing::new(read_password(args.password_stdin)?);
    let (member, sheet) = Member::login_at(rest, name, &password, &setting.folder)?;
    welcome(setting, &member, sheet.as_ref().map(|sheet| sheet.as_str()))
}

/// Tells who is signed in now, with the recovery sheet of keys that were just made.
pub fn welcome(setting: &Setting, member: &Member, sheet: Option<&str>) -> Result<(), Failure> {
    let rooms = member.rooms()?;
    if setting.json {
        let rooms: Vec<_> =
            rooms.iter().map(|room| json!({ "id": room.id, "name": room.name })).collect();
        println!("{}", json!({ "user": member.user(), "recovery_sheet": sheet, "rooms": rooms }));
        return Ok(());
    }
    if let Some(sheet) = sheet {
        println!("This account had no keys; they were made now. Print or write down this line:\n");
        println!("    {sheet}\n");
        println!(
            "It brings your account back in a browser (\"Forgot the password?\"). Nobody else"
        );
        println!("has it: keep it off this machine.\n");
    }
    println!("{} is signed in at {}.", member.name(), member.url());
    let names: Vec<_> = rooms.iter().map(|room| room.name.as_str()).collect();
    match names.as_slice() {
        [] => println!("You are in no room yet: make one, or ask for an invite."),
        names => println!("Rooms: {}", names.join(", ")),
    }
    Ok(())
}
