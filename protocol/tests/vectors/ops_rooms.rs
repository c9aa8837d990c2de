//! Operations of the files bundle, event and attachment.

use std::collections::HashSet;

use hearth_protocol::bytes::from_b64u;
use hearth_protocol::ids::UserId;
use hearth_protocol::sealing::bundle::{Announcement, Bundle};
use hearth_protocol::sealing::chain::{Origin, check_first, check_next};
use hearth_protocol::sealing::epoch::{EpochKeys, Header};
use hearth_protocol::sealing::event::{self, Kind, WireHeader};
use hearth_protocol::sealing::{AgeIdentity, Hash, SealingError, Secret, SigningKey, agefile};
use serde_json::{Value, json};

use super::{Answer, Input, Refused};

/// Bytes of an attachment (limits.rs).
const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;

pub fn run(op: &str, input: &Input<'_>) -> Option<Answer> {
    Some(match op {
        "epoch_keys" => epoch_keys(input),
        "back_open" => back_open(input),
        "bundle_verify" => bundle_verify(input),
        "bundle_open" => bundle_open(input),
        "bundle_first" => bundle_first(input),
        "bundle_next" => bundle_next(input),
        "key_topic" => key_topic(input),
        "key_topic_verify" => key_topic_verify(input),
        "event_header" => WireHeader::parse(&input.bytes("wire"))
            .map(|header| header_json(&header))
            .map_err(Refused::from),
        "event_seal" => event_seal(input),
        "event_open" => event_open(input),
        "attachment_open" => attachment_open(input),
        _ => return None,
    })
}

fn keys(input: &Input<'_>) -> Result<EpochKeys, Refused> {
    Ok(EpochKeys::new(input.parsed("room")?, input.secret("secret")?))
}

fn secret_json(secret: &Secret) -> Value {
    json!({ "secret": hex::encode(secret.as_bytes()) })
}

fn epoch_keys(input: &Input<'_>) -> Answer {
    let keys = keys(input)?;
    let (key, kid) = (hex::encode(keys.key.as_bytes()), hex::encode(keys.kid.as_bytes()));
    Ok(json!({ "key": key, "kid": kid }))
}

fn back_open(input: &Input<'_>) -> Answer {
    let before = keys(input)?.open_back(input.number("epoch")?, &input.bytes("back"))?;
    Ok(secret_json(&before))
}

fn made_by(header: &Header, input: &Input<'_>) -> Result<(), Refused> {
    if input.card("signer")?.user() == header.by {
        Ok(())
    } else {
        Err(SealingError::Card("it is not the maker's").into())
    }
}

fn bundle_verify(input: &Input<'_>) -> Answer {
    let bundle = Bundle::parse(&input.bytes("bundle"))?;
    made_by(&bundle.header, input)?;
    bundle.verify_signature(input.card("signer")?.sign_key())?;
    let header = &bundle.header;
    Ok(json!({
        "room": header.room,
        "epoch": header.epoch,
        "kid": hex::encode(header.kid.as_bytes()),
        "prev": hex::encode(header.prev.as_bytes()),
        "by": header.by,
        "header_hash": hex::encode(bundle.header_hash().as_bytes()),
    }))
}

fn bundle_open(input: &Input<'_>) -> Answer {
    let bundle = Bundle::parse(&input.bytes("bundle"))?;
    Ok(secret_json(&bundle.open(&input.parsed("identity")?)?.secret))
}

fn bundle_first(input: &Input<'_>) -> Answer {
    let bundle = Bundle::parse(&input.bytes("bundle"))?;
    check_first(&bundle, &input.card("signer")?)?;
    Ok(json!({}))
}

fn bundle_next(input: &Input<'_>) -> Answer {
    let previous = Bundle::parse(&input.bytes("previous"))?;
    let next = Bundle::parse(&input.bytes("next"))?;
    let listed = input.list("listed_before").iter();
    let listed: HashSet<UserId> =
        listed.map(|user| user.as_str().unwrap().parse().unwrap()).collect();
    let hash = previous.header_hash();
    let card = input.card("signer")?;
    let origin = check_next(&previous.header, hash, &next, &card, |user| listed.contains(&user))?;
    Ok(json!({ "joined": origin == Origin::Joined }))
}

fn key_topic(input: &Input<'_>) -> Answer {
    let bundle = Bundle::parse(&input.bytes("bundle"))?;
    Ok(json!({ "payload": hex::encode(bundle.announcement()) }))
}

fn key_topic_verify(input: &Input<'_>) -> Answer {
    let announcement = Announcement::parse(&input.bytes("payload"))?;
    made_by(&announcement.header, input)?;
    announcement.verify_signature(input.card("signer")?.sign_key())?;
    Ok(json!({
        "room": announcement.header.room,
        "epoch": announcement.header.epoch,
        "header_hash": hex::encode(announcement.header_hash().as_bytes()),
        "doors": announcement.header.doors,
    }))
}

fn header_json(header: &WireHeader) -> Value {
    let (target, notify) = match &header.kind {
        Kind::Tombstone(target) => (Some(*target), vec![]),
        Kind::Hinted(users) => (None, users.clone()),
        Kind::Content | Kind::Live => (None, vec![]),
    };
    json!({
        "epoch": header.epoch,
        "id": header.id,
        "sender": header.sender,
        "writer": header.writer,
        "kind": header.kind.byte(),
        "seq": header.seq,
        "target": target,
        "notify": notify,
    })
}

fn event_seal(input: &Input<'_>) -> Answer {
    let number: u8 = input.number("kind")?;
    let (target, notify) = (input.has("target"), !input.list("notify").is_empty());
    if target != (number == 2) || notify != (number == 4) {
        return Err(Refused::By("its extra is not its kind's".into()));
    }
    let kind = match number {
        1 => Kind::Content,
        2 => Kind::Tombstone(input.parsed("target")?),
        3 => Kind::Live,
        4 => {
            let users = input.list("notify").iter();
            Kind::Hinted(users.map(|user| user.as_str().unwrap().parse().unwrap()).collect())
        }
        other => return Err(Refused::By(format!("no kind {other}"))),
    };
    let header = WireHeader {
        epoch: input.number("epoch")?,
        id: input.parsed("id")?,
        sender: input.parsed("sender")?,
        writer: input.number("writer")?,
        kind,
        seq: input.number("seq")?,
    };
    let nonce: [u8; 24] = input.array("nonce")?;
    let signer = SigningKey::from_seed(&input.secret("seed")?);
    let mut random = |out: &mut [u8]| out.copy_from_slice(&nonce);
    let wire = event::seal(&header, &input.bytes("body"), &keys(input)?, &signer, &mut random)?;
    Ok(json!({ "wire": hex::encode(wire) }))
}

fn event_open(input: &Input<'_>) -> Answer {
    let opened = event::open(&input.bytes("wire"), &keys(input)?, &input.public("ed25519")?)?;
    let mut out = header_json(&opened.header);
    out["body"] = hex::encode(opened.body.as_slice()).into();
    Ok(out)
}

fn attachment_open(input: &Input<'_>) -> Answer {
    let no = |what: &str| Refused::By(what.to_string());
    let file = from_b64u(input.text("file")).ok_or_else(|| no("the file is no base64url"))?;
    if Hash::of(&file).as_bytes() != input.bytes("sha256").as_slice() {
        return Err(no("it is another file"));
    }
    let identity: AgeIdentity = input.parsed("identity")?;
    let plain = agefile::open("the attachment", &identity, &file, FILE_BYTES_MAX)?;
    let hash = hex::encode(Hash::of(&plain).as_bytes());
    Ok(json!({ "size": plain.len(), "plaintext_sha256": hash }))
}
