//! A cheap card: a power cut leaves sectors of 4,096 bytes that were being rewritten unreadable.
//! Slots of 4,136 bytes share sectors with their neighbours, so pages that were durable go too.
//!
//! `HEARTH_ROUNDS` says how many cuts; the test prints what survives (docs/security.md).

use std::sync::Arc;

use super::cuts::{Round, Situation, furnished_by, in_turn, rounds};
use super::{Model, open, rows};
use crate::EngineError;
use crate::testing::block_on;

/// What is left after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// All that was acknowledged.
    Whole,
    /// A database that opens; some pages do not read.
    Damaged,
    /// A database that does not open.
    Closed,
}

fn round(
    base: &(Vec<u8>, Model),
    situation: Situation,
    seed: u64,
    broken_max: usize,
) -> Result<(Situation, Left), String> {
    let mut round = Round::new(base, situation, seed);
    block_on(async {
        round.live(situation).await?;
        let card = Arc::new(round.disk.card_after_power_cut(&mut round.dice, broken_max));
        let Ok(engine) = open(&card) else { return Ok(Left::Closed) };
        match rows(&engine).await {
            Ok(rows) => round.model.settle(rows).map(|()| Left::Whole),
            Err(EngineError::Io(_) | EngineError::Damaged { .. }) => Ok(Left::Damaged),
            Err(_) => Ok(Left::Closed),
        }
    })
    .map(|left| (situation, left))
    .map_err(|error| format!("{situation:?} {seed}: {error}"))
}

#[test]
fn a_card_that_breaks_what_it_was_writing_never_shows_wrong_rows() {
    let (base, count) = (furnished_by(400), rounds());
    for broken_max in [1, 8] {
        let done = in_turn(count, |situation, seed| round(&base, situation, seed, broken_max));
        let wrong: Vec<_> = done.iter().filter_map(|round| round.as_ref().err()).collect();
        assert!(wrong.is_empty(), "{} of {count} rounds: {:#?}", wrong.len(), &wrong[..1]);
        let share = |left| {
            let rounds = done.iter().flatten().filter(|(_, found)| *found == left).count();
            100.0 * rounds as f64 / count as f64
        };
        let [whole, damaged, closed] = [Left::Whole, Left::Damaged, Left::Closed].map(share);
        println!(
            "{count} cuts, up to {broken_max} sectors broken: {whole:.1} % whole, \
             {damaged:.1} % with damaged pages, {closed:.1} % do not open"
        );
    }
}
