//! Reason codes of MQTT 5 (§2.4), as far as the broker says them.

use hearth_protocol::refusal::{Kind, Refusal};

/// Why a packet was refused or a connection ends; the numbers are MQTT's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the specification's (MQTT 5 §2.4)")]
pub enum Reason {
    Success = 0x00,
    NoMatchingSubscribers = 0x10,
    NoSubscriptionExisted = 0x11,
    Unspecified = 0x80,
    Malformed = 0x81,
    ProtocolError = 0x82,
    ImplementationSpecific = 0x83,
    UnsupportedVersion = 0x84,
    BadClientId = 0x85,
    BadLogin = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    ServerBusy = 0x89,
    ShuttingDown = 0x8B,
    BadAuthMethod = 0x8C,
    KeepAliveTimeout = 0x8D,
    TakenOver = 0x8E,
    BadFilter = 0x8F,
    BadTopic = 0x90,
    PacketIdNotFound = 0x92,
    ReceiveMaxExceeded = 0x93,
    BadAlias = 0x94,
    TooLarge = 0x95,
    QuotaExceeded = 0x97,
    Administrative = 0x98,
    PayloadInvalid = 0x99,
    ConnectTimeout = 0xA0,
}

impl Reason {
    /// The byte on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether it is a failure (§2.4: 0x80 or above).
    pub const fn is_failure(self) -> bool {
        self.code() >= 0x80
    }

    /// What a refusal says in an acknowledgement.
    pub fn of(refusal: &Refusal) -> Reason {
        match refusal.kind {
            Kind::Invalid | Kind::Conflict => Reason::PayloadInvalid,
            Kind::Unauthenticated | Kind::Forbidden | Kind::NotFound | Kind::Gone => {
                Reason::NotAuthorized
            }
            Kind::TooLarge => Reason::TooLarge,
            Kind::TooMany { .. } => Reason::QuotaExceeded,
            Kind::Unavailable => Reason::ImplementationSpecific,
        }
    }

    /// What a refusal says in a CONNACK, where a wrong token has its own code.
    pub fn of_login(refusal: &Refusal) -> Reason {
        match refusal.kind {
            Kind::Unauthenticated => Reason::BadLogin,
            Kind::Unavailable => Reason::ServerUnavailable,
            _ => Reason::of(refusal),
        }
    }

    /// The return code of a 3.1.1 CONNACK (§3.2.2.3).
    pub(crate) const fn v3(self) -> u8 {
        match self {
            Reason::Success => 0,
            Reason::UnsupportedVersion => 1,
            Reason::BadClientId => 2,
            Reason::BadLogin => 4,
            Reason::NotAuthorized | Reason::BadAuthMethod => 5,
            _ => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_code_that_the_protocol_crate_gives_it() {
        let kinds = [
            Kind::Invalid,
            Kind::Unauthenticated,
            Kind::Forbidden,
            Kind::NotFound,
            Kind::Conflict,
            Kind::Gone,
            Kind::TooLarge,
            Kind::TooMany { retry_after_ms: 1 },
            Kind::Unavailable,
        ];
        for kind in kinds {
            let refusal = Refusal::new(kind, "test", "");
            assert_eq!(Reason::of(&refusal).code(), kind.reason_code(), "{kind:?}");
        }
    }
}
