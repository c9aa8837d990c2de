//! Random messages, edits, reactions, erasures and sweeps against a simple model of what a reader
//! sees.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hearth_protocol::ids::{EventId, Position, UserId};
use hearth_protocol::limits::{Limits, hours_ms};
use proptest::prelude::*;

use crate::testing::*;
use crate::*;

#[derive(Debug, Clone)]
enum Step {
    Say { user: u8 },
    Edit { user: u8, target: usize },
    React { user: u8, target: usize, emoji: usize, on: bool },
    Erase { user: u8, target: usize, right: Right },
    Wait { minutes: u64 },
    Sweep,
}

const EMOJI: [&str; 3] = ["👍", "❤\u{fe0f}", "❤"];

fn steps() -> impl Strategy<Value = Step> {
    let (user, target) = (1_u8..4, 0_usize..12);
    prop_oneof![
        4 => user.clone().prop_map(|user| Step::Say { user }),
        3 => (user.clone(), target.clone()).prop_map(|(user, target)| Step::Edit { user, target }),
        4 => (user.clone(), target.clone(), 0..EMOJI.len(), any::<bool>())
            .prop_map(|(user, target, emoji, on)| Step::React { user, target, emoji, on }),
        2 => (user, target, prop_oneof![Just(Right::Own), Just(Right::Moderator)])
            .prop_map(|(user, target, right)| Step::Erase { user, target, right }),
        2 => (1_u64..700).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Sweep),
    ]
}

/// A message as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    id: EventId,
    position: u64,
    at: u64,
    user: u8,
    text: String,
    reactions: BTreeMap<String, BTreeSet<UserId>>,
    erased_by: Option<u8>,
}

#[derive(Default)]
struct Model {
    now: u64,
    /// The time of every event, from position 1 on.
    times: Vec<u64>,
    messages: Vec<Seen>,
    first: usize,
}

impl Model {
    /// What a step that is an event does; whether it is taken.
    fn step(&mut self, step: &Step, id: EventId, text: &str) -> bool {
        let (now, position) = (self.now, self.times.len() as u64 + 1);
        let first = self.first as u64 + 1;
        let taken = match step {
            Step::Say { user } => {
                self.messages.push(Seen {
                    id,
                    position,
                    at: now,
                    user: *user,
                    text: text.into(),
                    reactions: BTreeMap::new(),
                    erased_by: None,
                });
                true
            }
            Step::Edit { user, target } => match living(&mut self.messages, *target, first) {
                Some(found) if found.user == *user && now - found.at <= 15 * 60_000 => {
                    found.text = text.into();
                    true
                }
                _ => false,
            },
            Step::React { user, target, emoji, on } => {
                match living(&mut self.messages, *target, first) {
                    Some(found) => {
                        let emoji = EMOJI[*emoji].replace('\u{fe0f}', "");
                        let users = found.reactions.entry(emoji.clone()).or_default();
                        if *on {
                            users.insert(user_id(*user))
                        } else {
                            users.remove(&user_id(*user))
                        };
                        if users.is_empty() {
                            found.reactions.remove(&emoji);
                        }
                        true
                    }
                    None => false,
                }
            }
            Step::Erase { user, target, right } => match living(&mut self.messages, *target, first)
            {
                Some(found) if *right == Right::Moderator || found.user == *user => {
                    found.erased_by = Some(*user);
                    found.reactions.clear();
                    true
                }
                _ => false,
            },
            Step::Wait { .. } | Step::Sweep => false,
        };
        if taken {
            self.times.push(now);
        }
        taken
    }

    /// Everything older than a day goes.
    fn sweep(&mut self) {
        let oldest = self.now.saturating_sub(hours_ms(24));
        while self.times.get(self.first).is_some_and(|at| *at < oldest) {
            self.first += 1;
        }
    }

    fn seen(&self) -> Vec<Seen> {
        let first = self.first as u64 + 1;
        self.messages.iter().filter(|message| message.position >= first).cloned().collect()
    }
}

/// A message that is there and not erased.
fn living(messages: &mut [Seen], target: usize, first: u64) -> Option<&mut Seen> {
    let found = messages.get_mut(target)?;
    (found.position >= first && found.erased_by.is_none()).then_some(found)
}

/// The event of a step.
fn event_of(step: &Step, model: &Model, id: EventId, text: &str) -> Option<NewEvent> {
    let target_id = |target: usize| {
        model.messages.get(target).map_or(EventId::from_bytes([250; 16]), |message| message.id)
    };
    let (user, kind, effect) = match step {
        Step::Say { user } => (*user, EventKind::Text, Effect::None),
        Step::Edit { user, target } => {
            (*user, EventKind::Edit, Effect::Edit { target: target_id(*target) })
        }
        Step::React { user, target, emoji, on } => {
            let (target, emoji) = (target_id(*target), EMOJI[*emoji].to_string());
            (*user, EventKind::React, Effect::React { target, emoji, on: *on })
        }
        Step::Erase { user, target, right } => {
            let (target, right) = (target_id(*target), *right);
            (*user, EventKind::Delete, Effect::Erase { target, right, reason: None })
        }
        Step::Wait { .. } | Step::Sweep => return None,
    };
    let body = text.to_string().into();
    let event = NewEvent { id: Some(id), body, at_ms: model.now, kind, effect, ..event(1) };
    Some(NewEvent { checked: 2, ..by(user, event) })
}

/// What the store shows, in the model's words.
fn shown(view: MessageView) -> Seen {
    let text = view.edit.as_ref().map_or(&view.event.body, |edit| &edit.body);
    let reactions = view
        .reactions
        .iter()
        .map(|reacted| (reacted.emoji.clone(), reacted.by.iter().map(|(user, _)| *user).collect()));
    let user = |id: &UserId| id.as_bytes()[0];
    Seen {
        id: view.event.id,
        position: view.event.position.0,
        at: view.event.received_at,
        user: match view.event.sender {
            hearth_protocol::event::Sender::Person(id) => user(&id),
            _ => 0,
        },
        text: String::from_utf8_lossy(text).into_owned(),
        reactions: reactions.collect(),
        erased_by: view.about.deleted.as_ref().map(|deleted| user(&deleted.by)),
    }
}

async fn check(store: &Store, model: &Model, limit: usize) -> Result<(), TestCaseError> {
    let (mut found, mut query) = (vec![], PageQuery::after(Position::START, limit));
    loop {
        let page = store.views(room_id(1), query).await.unwrap();
        prop_assert!(page.damaged.is_empty());
        let Some(covered) = page.covered else { break };
        found.extend(page.views.into_iter().map(shown));
        query.after = Some(covered.to);
    }
    let expected: Vec<_> = model.seen();
    prop_assert_eq!(found.len(), expected.len());
    for (found, expected) in found.into_iter().zip(expected) {
        // Of an erased text nothing is left to compare.
        let text = if expected.erased_by.is_some() { &found.text } else { &expected.text };
        prop_assert_eq!(&found, &Seen { text: text.clone(), ..expected });
    }
    Ok(())
}

/// No word of what was erased or went stays, and the room's bytes are those of its events.
async fn check_rows(
    store: &Store,
    texts: &BTreeMap<EventId, Vec<String>>,
    model: &Model,
) -> Result<(), TestCaseError> {
    let rows = store.rows().await;
    for message in model.messages.iter().filter(|message| message.erased_by.is_some()) {
        for text in &texts[&message.id] {
            let there =
                |value: &[u8]| value.windows(text.len()).any(|part| part == text.as_bytes());
            prop_assert!(!rows.iter().any(|(_, value)| there(value)), "{} is there", text);
        }
    }
    let page = store.page(room_id(1), PageQuery::newest(10_000)).await.unwrap();
    let bytes: u64 = page.events.iter().map(record::event_bytes).sum();
    prop_assert_eq!(store.heads().get(room_id(1)).unwrap().tally.bytes, bytes);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_a_reader_sees_is_what_the_model_says(
        steps in prop::collection::vec(steps(), 1..60),
        limit in 1_usize..9,
    ) {
        block_on(async {
            let limits = Arc::new(Limits { sweep_rows_max: 5, ..Limits::default() });
            let store = Store::open(Arc::new(Memory::new()), limits).await.unwrap();
            let store = store.with_people().await;
            let (room, history) = (room_id(1), History::All);
            let keep = Edit::SetHistory { room, history, keep_days: 1, keep_bytes: 0 };
            store.make(vec![keep]).await.unwrap();
            let mut model = Model { now: hours_ms(100), ..Model::default() };
            let mut texts = BTreeMap::<EventId, Vec<String>>::new();
            for (number, step) in steps.iter().enumerate() {
                model.now += 1;
                match step {
                    Step::Wait { minutes } => model.now += minutes * 60_000,
                    Step::Sweep => {
                        store.sweep_all(Sweep::History { room }, model.now).await;
                        model.sweep();
                    }
                    step => {
                        let id = EventId::new(number as u64, [3; 10]);
                        let text = format!("<word {number}>");
                        if let Some(event) = event_of(step, &model, id, &text) {
                            let stored = store.append(event).await;
                            let of = match step {
                                Step::Edit { target, .. } => model.messages.get(*target),
                                _ => None,
                            };
                            let of = of.map_or(id, |message| message.id);
                            let taken = model.step(step, id, &text);
                            prop_assert_eq!(stored.is_ok(), taken, "{:?}: {:?}", step, stored);
                            if taken {
                                texts.entry(of).or_default().push(text);
                            }
                        }
                    }
                }
            }
            check(&store, &model, limit).await?;
            check_rows(&store, &texts, &model).await
        })?;
    }
}
