//! Cards and names of the people of the house, fetched once per command.

use std::collections::HashMap;

use hearth_protocol::bytes::from_b64u;
use hearth_protocol::ids::UserId;
use hearth_protocol::sealing::Fingerprint;
use hearth_protocol::sealing::card::Card;
use serde::Deserialize;

use super::pins::Pins;
use super::rest::{Rest, UserInfo};
use super::{Member, MemberError};

/// What is known so far.
#[derive(Default)]
pub struct People {
    cards: HashMap<UserId, Vec<Card>>,
    names: HashMap<UserId, String>,
    pub(super) pins: Option<Pins>,
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Cards {
    cards: Vec<String>,
}

/// A person's cards that verify by themselves, oldest first. Others are as if not there: a
/// fingerprint decides which one counts.
fn fetch(rest: &Rest, user: UserId) -> Result<Vec<Card>, MemberError> {
    let served: Cards = match rest.get(&format!("/api/users/{user}/cards")) {
        // Somebody of whom the box tells nothing has no card here, which costs them alone.
        Err(error) if error.is("not_found") => return Ok(vec![]),
        served => served?,
    };
    let cards = served.cards.iter().filter_map(|text| from_b64u(text));
    let cards = cards.filter_map(|bytes| Card::parse_and_verify(&bytes).ok());
    Ok(cards.filter(|card| card.user() == user).collect())
}

/// The card with some keys and those after it, each signed by the keys before.
fn signed_on(cards: &[Card], from: Fingerprint) -> &[Card] {
    let at = cards.iter().position(|card| card.fingerprint() == from);
    let after = cards.get(at.unwrap_or(cards.len())..).unwrap_or_default();
    let signed = after.windows(2).take_while(|pair| pair[1].follows(&pair[0]) == Ok(true)).count();
    after.get(..=signed).unwrap_or_default()
}

impl Member {
    fn cards(&mut self, user: UserId) -> Result<&[Card], MemberError> {
        if !self.people.cards.contains_key(&user) {
            let cards = fetch(&self.rest, user)?;
            self.people.cards.insert(user, cards);
        }
        Ok(self.people.cards.get(&user).map(Vec::as_slice).unwrap_or_default())
    }

    /// The card with the keys that a room lists for somebody.
    pub fn card(&mut self, user: UserId, listed: Fingerprint) -> Result<Card, MemberError> {
        let find = |cards: &[Card]| cards.iter().find(|card| card.fingerprint() == listed).cloned();
        find(self.cards(user)?).ok_or(MemberError::NoCard { user })
    }

    /// The keys listed for somebody, or the newest that those have signed on to.
    pub fn current_card(
        &mut self,
        user: UserId,
        listed: Fingerprint,
    ) -> Result<Option<Card>, MemberError> {
        Ok(signed_on(self.cards(user)?, listed).last().cloned())
    }

    /// Whether some keys of somebody have signed on to others.
    pub(super) fn leads(
        &mut self,
        user: UserId,
        from: Fingerprint,
        to: Fingerprint,
    ) -> Result<bool, MemberError> {
        Ok(signed_on(self.cards(user)?, from).iter().any(|card| card.fingerprint() == to))
    }

    /// Cards are fetched anew when they are asked for next.
    pub(super) fn forget_cards(&mut self) {
        self.people.cards.clear();
    }

    /// The newest card the box has of somebody, if any.
    pub fn newest_card(&mut self, user: UserId) -> Result<Option<Card>, MemberError> {
        Ok(self.cards(user)?.last().cloned())
    }

    /// All cards of somebody.
    pub fn all_cards(&mut self, user: UserId) -> Result<Vec<Card>, MemberError> {
        Ok(self.cards(user)?.to_vec())
    }

    /// The name to show for somebody; the id where the box does not tell.
    pub fn name_of(&mut self, user: UserId) -> String {
        if let Some(name) = self.people.names.get(&user) {
            return name.clone();
        }
        let told = self.rest.get::<UserInfo>(&format!("/api/users/{user}"));
        let name = told.map_or_else(|_| user.to_string(), |info| info.display_name);
        self.people.names.insert(user, name.clone());
        name
    }
}
