//! What JSON bodies take in memory while they come. Those who bring a token have a budget of their
//! own, so that nobody from outside takes their room.

use std::net::IpAddr;

use hearth_protocol::limits::Limits;

use crate::http::budget::{Budget, Room};

/// Who sends a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Somebody whose token was checked.
    Known,
    /// Anyone.
    Anyone,
}

/// Bodies that are on their way.
#[derive(Debug)]
pub struct Bodies {
    known: Budget,
    anyone: Budget,
}

impl Bodies {
    /// Nothing is on its way.
    pub fn new(limits: &Limits) -> Self {
        let budget = || Budget::new(limits.bodies_bytes_max);
        Self { known: budget(), anyone: budget() }
    }

    /// A body from an address begins.
    pub fn begin(&self, whose: Whose, address: IpAddr) -> Room {
        match whose {
            Whose::Known => self.known.room(address),
            Whose::Anyone => self.anyone.room(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::role::HouseRole;

    use super::*;
    use crate::testing::House;

    #[test]
    fn who_brings_no_token_takes_nothing_from_who_does() {
        let bodies = Bodies::new(&Limits { bodies_bytes_max: 40, ..Limits::default() });
        let near = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        let mut strange = bodies.begin(Whose::Anyone, near);
        strange.take(10).unwrap();
        assert_eq!(strange.take(1).unwrap_err().0.code, "busy");
        bodies.begin(Whose::Known, near).take(10).unwrap();
    }
    #[tokio::test]
    async fn a_body_has_a_mebibyte_and_no_more() {
        let house = House::new().await;
        let anna = house.person("anna", HouseRole::Owner).await;
        let max = 1024 * 1024;
        for (length, code) in [(max, "200"), (max + 1, "too_large")] {
            let rest = r#"{"display_name":"Anna","what":""}"#.len();
            let what = "x".repeat(length - rest);
            let body = format!(r#"{{"display_name":"Anna","what":"{what}"}}"#);
            let sent = house.send("PATCH", "/api/users/me", &anna, &[], body.as_bytes()).await;
            assert_eq!(sent.code(), code, "{length}");
        }
    }
}
