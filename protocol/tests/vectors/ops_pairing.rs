//! Operations of the file pairing.

use hearth_protocol::sealing::pairing::{Code, Ephemeral, Offer, PairKey, Typed};
use serde_json::json;

use super::{Answer, Input, Refused};

pub fn run(op: &str, input: &Input<'_>) -> Option<Answer> {
    Some(match op {
        "pair_link" => {
            offer(input).map(|offer| json!({ "link": offer.link(input.text("origin")) }))
        }
        "pair_typed" => offer(input).map(|offer| json!({ "typed": offer.typed() })),
        "pair_read" => read(input),
        "pair_check" => check(input),
        "pair_agree" => agree(input),
        "pair_open" => open(input),
        _ => return None,
    })
}

fn offer(input: &Input<'_>) -> Result<Offer, Refused> {
    Ok(Offer { channel: input.array("channel")?, key: input.array("key_new")? })
}

fn read(input: &Input<'_>) -> Answer {
    let typed: Typed = input.parsed("typed")?;
    let (channel, print) = (hex::encode(typed.channel), hex::encode(typed.print()));
    Ok(json!({ "channel": channel, "print": print }))
}

fn check(input: &Input<'_>) -> Answer {
    input.parsed::<Code>("typed")?.offer(&input.bytes("key_new"))?;
    Ok(json!({}))
}

fn agree(input: &Input<'_>) -> Answer {
    let (theirs, key_old) = (input.array("theirs")?, input.array("key_old")?);
    let own = Ephemeral::from_secret(&input.secret("secret")?);
    let key = own.agree(&theirs, &offer(input)?, &key_old)?;
    Ok(json!({ "key": hex::encode(key.as_bytes()), "digits": key.digits() }))
}

fn open(input: &Input<'_>) -> Answer {
    let key = PairKey::from_secret(input.secret("key")?, input.array("channel")?);
    let given = key.open(&input.bytes("sealed"))?;
    Ok(json!({ "root": hex::encode(given.root()?.as_bytes()), "refresh": given.refresh }))
}
