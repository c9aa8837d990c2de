//! Operations of the files chain and order.

use hearth_protocol::ids::EventId;
use hearth_protocol::sealing::bundle::Bundle;
use hearth_protocol::sealing::chain::step_back;
use hearth_protocol::sealing::epoch::EpochKeys;
use hearth_protocol::sealing::exact::WHOLE_MAX;
use hearth_protocol::sealing::order::{Fit, Order};
use serde_json::{Value, json};

use super::{Answer, Input, Refused};

pub fn run(op: &str, input: &Input<'_>) -> Option<Answer> {
    Some(match op {
        "back_step" => back_step(input),
        "event_order" => event_order(input),
        _ => return None,
    })
}

fn refused<T>(why: &str) -> Result<T, Refused> {
    Err(Refused::By(why.into()))
}

fn back_step(input: &Input<'_>) -> Answer {
    let bytes = input.list("bundles").iter().map(|one| hex::decode(one.as_str().unwrap()));
    let bundles: Vec<Bundle> =
        bytes.map(|bytes| Bundle::parse(&bytes.unwrap())).collect::<Result<_, _>>()?;
    let Some((last, older)) = bundles.split_last() else { return refused("no epoch") };
    let keys = EpochKeys::new(last.header.room, input.secret("secret")?);
    match step_back(last, &keys, older) {
        Some((epoch, keys)) => {
            Ok(json!({ "epoch": epoch, "secret": hex::encode(keys.secret.as_bytes()) }))
        }
        None => refused("the way back leads nowhere"),
    }
}

fn event_order(input: &Input<'_>) -> Answer {
    let mut order = Order::new(input.flag("begins"));
    let mut told: Vec<Vec<Value>> = vec![];
    for run in input.list("runs") {
        if !told.is_empty() {
            order.skip();
        }
        let run = run.as_array().unwrap().iter().map(|event| place(&mut order, &Input(event)));
        told.push(run.collect::<Result<_, _>>()?);
    }
    Ok(json!({ "runs": told }))
}

fn place(order: &mut Order, event: &Input<'_>) -> Answer {
    let id: EventId = event.parsed("id")?;
    let seq: u64 = event.number("seq")?;
    if seq > WHOLE_MAX {
        return refused("a number that not every language holds");
    }
    let writer = (event.parsed("sender")?, event.number("writer")?);
    let fit = order.take(id, writer, seq);
    let known = fit.is_none();
    let Fit { missing, strange } = fit.unwrap_or(Fit { missing: 0, strange: None });
    Ok(json!({ "known": known, "missing": missing, "strange": strange }))
}
