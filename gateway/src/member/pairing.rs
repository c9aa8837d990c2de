//! Pairing through the box's relay: a new device asks, one that is signed in answers and hands
//! over root and a login (sealing.md §2).

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use hearth_protocol::bytes::{b64u, from_b64u};
use hearth_protocol::ids::SessionId;
use hearth_protocol::limits::Limits;
use hearth_protocol::sealing::identity::Identity;
use hearth_protocol::sealing::pairing::{Code, Ephemeral, Handed, Offer, PairKey};
use hearth_protocol::sealing::{Secret, vault};
use serde::Deserialize;
use serde_json::json;

use super::account::{LABEL, ServedVault};
use super::rest::{Rest, SessionInfo};
use super::{Member, MemberError, random_fill};

/// How often the relay is asked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The numbers of a channel's messages.
const ASKED: usize = 1;
const ANSWERED: usize = 2;
const GIVEN: usize = 3;
/// What is put there when the digits differ: no pairing has one byte.
const NO: [u8; 1] = [0];

#[derive(Deserialize)]
struct Put {
    number: usize,
}

#[derive(Deserialize)]
struct Messages {
    messages: Vec<String>,
}

fn failed(problem: &'static str) -> MemberError {
    MemberError::Pairing { problem }
}

fn over(error: MemberError) -> MemberError {
    if error.is("not_found") { failed("its two minutes are over; begin a new one") } else { error }
}

/// The box's relay, as one channel of it.
struct Channel {
    path: String,
}

impl Channel {
    fn of(offer: &[u8; 16]) -> Self {
        Self { path: format!("/api/pair/{}", b64u(offer)) }
    }

    /// Puts a message there; its number.
    fn put(&self, rest: &Rest, message: &[u8]) -> Result<usize, MemberError> {
        let put: Put = rest.post(&self.path, &json!({ "message": b64u(message) }))?;
        Ok(put.number)
    }

    fn after(&self, rest: &Rest, number: usize) -> Result<Vec<Vec<u8>>, MemberError> {
        let path = format!("{}?after={number}", self.path);
        let served: Messages = rest.get(&path).map_err(over)?;
        let read = |text: &String| from_b64u(text);
        let messages: Option<Vec<_>> = served.messages.iter().map(read).collect();
        messages.ok_or_else(|| failed("the box hands out what is no base64url"))
    }

    /// Waits for the message after so many.
    fn wait(&self, rest: &Rest, number: usize) -> Result<Vec<u8>, MemberError> {
        for _ in 0..=Limits::default().pair_s {
            if let Some(message) = self.after(rest, number)?.into_iter().next() {
                return Ok(message);
            }
            sleep(LOOK_EVERY);
        }
        Err(failed("nobody answered; begin a new one"))
    }
}

/// A device without keys that has asked for them.
pub struct NewDevice {
    rest: Rest,
    channel: Channel,
    own: Ephemeral,
    offer: Offer,
}

impl NewDevice {
    /// Asks at a box.
    pub fn ask(rest: Rest) -> Result<Self, MemberError> {
        let own = Ephemeral::random(&mut random_fill);
        let mut channel = [0; 16];
        random_fill(&mut channel);
        let offer = Offer { channel, key: own.public() };
        let channel = Channel::of(&offer.channel);
        if channel.put(&rest, &offer.key)? != ASKED {
            return Err(failed("somebody else uses its channel; begin a new one"));
        }
        Ok(Self { rest, channel, own, offer })
    }

    /// What the signed-in device scans.
    pub fn link(&self) -> String {
        self.offer.link(self.rest.url())
    }

    /// What is typed there, where nothing can be scanned.
    pub fn typed(&self) -> String {
        self.offer.typed()
    }

    /// Waits for the answer.
    pub fn meet(self) -> Result<Met, MemberError> {
        let Self { rest, channel, own, offer } = self;
        let answer = channel.wait(&rest, ASKED)?;
        let theirs = answer.as_slice().try_into();
        let theirs = theirs.map_err(|_| failed("what answered is no device of Hearth"))?;
        // One answer is taken: another one later would be another's.
        let key = own.agree(&theirs, &offer, &theirs)?;
        Ok(Met { rest, channel, key })
    }
}

/// A new device that has met another: whose it is, the digits tell.
pub struct Met {
    rest: Rest,
    channel: Channel,
    key: PairKey,
}

impl Met {
    /// The six digits to be compared.
    pub fn digits(&self) -> String {
        self.key.digits()
    }

    /// Waits for root and a login and keeps them; with `expected`, of nobody of another name.
    pub fn take(self, folder: &Path, expected: Option<&str>) -> Result<Member, MemberError> {
        let Self { mut rest, channel, key } = self;
        let message = channel.wait(&rest, ANSWERED)?;
        if message == NO {
            return Err(failed("the other device says that the digits differ"));
        }
        let given = key.open(&message)?;
        let root = given.root()?;
        let session = rest.resume(&given.refresh)?;
        match checked(&rest, &session, root, expected) {
            Ok((identity, data)) => {
                let member = Member::keep(rest, &session, identity, folder)?;
                member.remember_heads(&data)?;
                Ok(member)
            }
            Err(error) => {
                end_login(&rest, session.session_id)?;
                Err(error)
            }
        }
    }
}

fn end_login(rest: &Rest, id: SessionId) -> Result<(), MemberError> {
    rest.delete(&format!("/api/auth/sessions/{id}"))
}

/// A signed-in device that has answered, and handed over nothing yet.
pub struct Answered<'a> {
    member: &'a Member,
    channel: Channel,
    key: PairKey,
}

impl Answered<'_> {
    /// Hands over root and a login of the new device's own, if these are the digits that it shows.
    pub fn give(self, shown: &str) -> Result<(), MemberError> {
        let rest = &self.member.rest;
        let digits: String = shown.chars().filter(|one| !one.is_whitespace()).collect();
        if digits != self.key.digits() {
            self.channel.put(rest, &NO)?;
            return Err(failed(
                "these are not the digits that belong here: somebody stands between the two \
                 devices, or they were mistyped (nothing was handed over)",
            ));
        }
        let session: SessionInfo = rest.post("/api/auth/sessions", &json!({ "label": LABEL }))?;
        let given = Handed::new(self.member.identity.root(), &session.refresh);
        let sealed = self.key.seal(&given, &mut random_fill)?;
        let put = self.channel.put(rest, &sealed);
        if !matches!(put, Ok(GIVEN)) {
            // Nobody reads it there any more.
            end_login(rest, session.session_id)?;
            put?;
            return Err(failed("its two minutes are over; begin a new one"));
        }
        Ok(())
    }
}

impl Member {
    /// Answers a new device's code; nothing is handed over yet.
    pub fn answer_pairing(&self, code: &Code) -> Result<Answered<'_>, MemberError> {
        let channel = Channel::of(code.channel());
        let messages = channel.after(&self.rest, 0)?;
        let [asked] = messages.as_slice() else {
            return Err(failed("somebody else has answered it already; begin a new one"));
        };
        let offer = code.offer(asked)?;
        let own = Ephemeral::random(&mut random_fill);
        let public = own.public();
        let key = own.agree(&offer.key, &offer, &public)?;
        if channel.put(&self.rest, &public)? != ANSWERED {
            return Err(failed("somebody else has answered it already; begin a new one"));
        }
        Ok(Answered { member: self, channel, key })
    }
}

/// The keys and the vault of who was handed over.
fn checked(
    rest: &Rest,
    session: &SessionInfo,
    root: Secret,
    expected: Option<&str>,
) -> Result<(Identity, vault::Data), MemberError> {
    if expected.is_some_and(|name| name != session.user.name) {
        return Err(failed("the other device is somebody else's"));
    }
    let served: ServedVault = rest.get("/api/vault")?;
    let data = vault::open_data(&served.vault, session.user.id, served.version, &root)?;
    Ok((Identity::from_root(root)?, data))
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    fn served(messages: &[&[u8]]) -> String {
        let messages: Vec<_> = messages.iter().map(|one| b64u(one)).collect();
        json!({ "messages": messages }).to_string()
    }

    fn key(byte: u8) -> [u8; 32] {
        Ephemeral::from_secret(&Secret::from_bytes([byte; 32])).public()
    }

    /// What comes of answering a code at a box that says this.
    fn answered(code: &str, answers: &[(u16, &str)]) -> Result<(), String> {
        let (_folder, member) = fake::member(answers);
        let answered = member.answer_pairing(&code.parse().unwrap());
        answered.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn a_box_that_puts_another_key_into_the_channel_is_refused_before_an_answer() {
        let offer = Offer { channel: [1; 16], key: key(1) };
        let (good, swapped) = (served(&[&key(1)]), served(&[&key(9)]));
        for code in [offer.typed(), offer.link("http://box")] {
            let refused = answered(&code, &[(200, &swapped)]).unwrap_err();
            assert!(refused.contains("not the one that was shown"), "{refused}");
            answered(&code, &[(200, &good), (201, r#"{"number":2}"#)]).unwrap();
        }
    }

    #[test]
    fn a_channel_that_is_over_or_answered_is_not_answered_again() {
        let code = Offer { channel: [1; 16], key: key(1) }.typed();
        let gone = answered(&code, &[(404, &fake::refusal("not_found"))]).unwrap_err();
        assert!(gone.contains("two minutes are over"), "{gone}");
        let both = served(&[&key(1), &key(9)]);
        let late = [(200, served(&[&key(1)])), (201, r#"{"number":3}"#.to_string())];
        for answers in [vec![(200, both)], late.to_vec()] {
            let answers: Vec<_> = answers.iter().map(|(code, body)| (*code, &**body)).collect();
            let refused = answered(&code, &answers).unwrap_err();
            assert!(refused.contains("somebody else has answered"), "{refused}");
        }
    }

    #[test]
    fn other_digits_hand_over_nothing() {
        let offer = Offer { channel: [1; 16], key: key(1) };
        let (_folder, member) = fake::member(&[
            (200, &served(&[&key(1)])),
            (201, r#"{"number":2}"#),
            (201, r#"{"number":3}"#),
        ]);
        let code = offer.typed().parse().unwrap();
        let answered = member.answer_pairing(&code).unwrap();
        let right = answered.key.digits();
        let wrong = if right == "000000" { "000001" } else { "000000" };
        // The box of this test has no answer to a request for a login.
        let refused = answered.give(wrong).unwrap_err().to_string();
        assert!(refused.contains("nothing was handed over"), "{refused}");
    }
}
