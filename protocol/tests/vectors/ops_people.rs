//! Operations of the files card, vault, door and invite.

use hearth_protocol::sealing::identity::{Identity, fingerprint, safety_number};
use hearth_protocol::sealing::invite::{Blob, InviteKeys, Joining, Link};
use hearth_protocol::sealing::vault::{self, Cost, Data};
use hearth_protocol::sealing::{Fingerprint, door, epoch::EpochKeys, kdf};
use serde_json::{Map, Value, json};

use super::{Answer, Input, Refused};

pub fn run(op: &str, input: &Input<'_>) -> Option<Answer> {
    Some(match op {
        "identity" => identity(input),
        "card_verify" => card_verify(input),
        "fingerprint" => print(input),
        "safety_number" => safety(input),
        "password" => password(input),
        "vault_open" => vault_open(input),
        "vault_open_data" => vault_open_data(input),
        "recovery_open" => recovery_open(input),
        "door_identity" => door_identity(input),
        "door_open" => door_open(input),
        "invite_keys" => invite_keys(input),
        "invite_link" => invite_link(input),
        "blob_open" => blob_open(input),
        "join_make" => join_make(input),
        "join_verify" => join_verify(input),
        _ => return None,
    })
}

fn identity(input: &Input<'_>) -> Answer {
    let identity = Identity::from_root(input.secret("root")?)?;
    let recipient = identity.age.recipient();
    Ok(json!({
        "age_identity": *identity.age.to_text(),
        "age_recipient": recipient.to_string(),
        "age_public": hex::encode(recipient.as_bytes()),
        "ed25519": hex::encode(identity.sign.public().as_bytes()),
    }))
}

fn card_verify(input: &Input<'_>) -> Answer {
    let card = input.card("card")?;
    let signed_by_previous = input.has("previous") && card.follows(&input.card("previous")?)?;
    Ok(json!({
        "user": card.user(),
        "age": card.recipient(),
        "ed25519": hex::encode(card.sign_key().as_bytes()),
        "created": card.created(),
        "prev_card_hash": card.previous_hash().map(|hash| hex::encode(hash.as_bytes())),
        "fingerprint": hex::encode(card.fingerprint().as_bytes()),
        "signed_by_previous": signed_by_previous,
    }))
}

fn print(input: &Input<'_>) -> Answer {
    let (sign, age) = (input.public("ed25519")?, input.age_public("age_public")?);
    let print = fingerprint(input.parsed("user")?, &sign, &age);
    Ok(json!({ "fingerprint": hex::encode(print.as_bytes()) }))
}

fn safety(input: &Input<'_>) -> Answer {
    let a = Fingerprint::from_bytes(input.array("a")?);
    let b = Fingerprint::from_bytes(input.array("b")?);
    Ok(json!({ "digits": safety_number(&a, &b) }))
}

fn password(input: &Input<'_>) -> Answer {
    let cost = input.part("cost");
    let cost = Cost {
        memory_kib: cost.number("memory_kib")?,
        passes: cost.number("passes")?,
        lanes: cost.number("lanes")?,
    };
    let stretched = vault::stretch(input.text("password"), &input.array("salt")?, &cost)?;
    let auth_key = stretched.auth_key();
    Ok(json!({
        "stretched": hex::encode(stretched.secret().as_bytes()),
        "auth_key": hex::encode(auth_key.as_bytes()),
        "verifier": hex::encode(kdf::sha256(auth_key.as_bytes())),
        "vault_key": hex::encode(stretched.vault_key().as_bytes()),
    }))
}

/// A vault's data with bytes in hex.
fn data_json(data: &Data) -> Value {
    let pins = data.pins.iter().map(|(user, pin)| {
        let fingerprint = hex::encode(pin.fingerprint.as_bytes());
        let pin = json!({
            "fingerprint": fingerprint, "state": pin.state, "at": pin.at, "by": pin.by,
        });
        (user.to_string(), pin)
    });
    let heads = data.heads.iter().map(|(room, (epoch, hash))| {
        (room.to_string(), json!([epoch, hex::encode(hash.as_bytes())]))
    });
    json!({
        "recovery": data.recovery,
        "pins": pins.collect::<Map<_, _>>(),
        "heads": heads.collect::<Map<_, _>>(),
    })
}

fn vault_open(input: &Input<'_>) -> Answer {
    let (user, version) = (input.parsed("user")?, input.number("version")?);
    let key = input.secret("vault_key")?;
    let (root, data) = vault::open(&input.bytes("vault"), user, version, &key)?;
    Ok(json!({ "root": hex::encode(root.as_bytes()), "data": data_json(&data) }))
}

fn vault_open_data(input: &Input<'_>) -> Answer {
    let (user, version) = (input.parsed("user")?, input.number("version")?);
    let root = input.secret("root")?;
    let data = vault::open_data(&input.bytes("vault"), user, version, &root)?;
    Ok(json!({ "data": data_json(&data) }))
}

fn recovery_open(input: &Input<'_>) -> Answer {
    let (user, sheet) = (input.parsed("user")?, input.parsed("identity")?);
    let (root, data) = vault::open_recovery(&input.bytes("file"), user, &sheet)?;
    Ok(json!({ "root": hex::encode(root.as_bytes()), "data": data_json(&data) }))
}

fn door_identity(input: &Input<'_>) -> Answer {
    let keys = EpochKeys::new(input.parsed("room")?, input.secret("secret")?);
    let door = door::identity(&keys, input.parsed("device")?)?;
    Ok(json!({ "identity": *door.to_text(), "recipient": door.recipient() }))
}

fn door_open(input: &Input<'_>) -> Answer {
    let plaintext = door::open(&input.bytes("post"), &input.parsed("identity")?)?;
    Ok(json!({ "plaintext": hex::encode(plaintext.as_slice()) }))
}

fn invite_keys(input: &Input<'_>) -> Answer {
    let keys = InviteKeys::new(&input.secret("k")?)?;
    Ok(json!({
        "auth": hex::encode(keys.auth.as_bytes()),
        "auth_hash": hex::encode(keys.auth_hash()),
        "wrap": hex::encode(keys.wrap.as_bytes()),
        "sign_public": hex::encode(keys.sign.public().as_bytes()),
        "identity": *keys.age.to_text(),
        "recipient": keys.age.recipient(),
    }))
}

fn invite_link(input: &Input<'_>) -> Answer {
    let origin = input.text("origin").to_string();
    let link = Link { origin, code: input.parsed("code")?, k: input.secret("k")? };
    let text = link.to_text();
    if text.parse::<Link>()? != link {
        return Err(Refused::By("the link does not read back".into()));
    }
    Ok(json!({ "link": text }))
}

fn blob_open(input: &Input<'_>) -> Answer {
    let keys = InviteKeys::new(&input.secret("k")?)?;
    let blob = Blob::open(&input.bytes("blob"), &keys, input.parsed("code")?)?;
    let rooms = blob.rooms.iter().map(|room| {
        let hash = hex::encode(room.header_hash.as_bytes());
        json!({ "room": room.room, "epoch": room.epoch, "header_hash": hash })
    });
    Ok(json!({
        "rooms": rooms.collect::<Vec<_>>(),
        "by": blob.by,
        "by_fingerprint": hex::encode(blob.by_fingerprint.as_bytes()),
        "ca_fingerprint": blob.ca_fingerprint.map(|hash| hex::encode(hash.as_bytes())),
        "expires": blob.expires,
        "uses": blob.uses,
    }))
}

fn joining(input: &Input<'_>) -> Result<Joining, Refused> {
    Ok(Joining {
        code: input.parsed("code")?,
        room: input.parsed("room")?,
        user: input.parsed("user")?,
        fingerprint: Fingerprint::from_bytes(input.array("fingerprint")?),
    })
}

fn join_make(input: &Input<'_>) -> Answer {
    let keys = InviteKeys::new(&input.secret("k")?)?;
    Ok(json!({ "proof": hex::encode(joining(input)?.prove(&keys)) }))
}

fn join_verify(input: &Input<'_>) -> Answer {
    joining(input)?.verify(&input.public("sign_public")?, &input.array("proof")?)?;
    Ok(json!({}))
}
