//! Who somebody is after signing in: what a connection, a request or a publish acts as.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, RoomId, SessionId, TokenId, UserId};

/// An identity of the house. Two connections with equal `Principal::account` are the same party:
/// they may take over each other's client ids and share their bounds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Principal {
    /// A person through a login.
    Person {
        /// Who.
        user: UserId,
        /// Through which login.
        session: SessionId,
    },
    /// A person's app through an app token.
    App {
        /// Who.
        user: UserId,
        /// Through which token.
        token: TokenId,
    },
    /// A device.
    Device {
        /// Which.
        device: DeviceId,
        /// The only room it knows.
        room: RoomId,
    },
    /// Somebody of a broker without accounts (the conformance example, tests).
    Local(String),
}

/// What bounds and take-overs are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Account {
    /// A person or bot.
    User(UserId),
    /// A device.
    Device(DeviceId),
    /// A name in a broker without accounts.
    Local(String),
}

impl Principal {
    /// The account behind it.
    pub fn account(&self) -> Account {
        match self {
            Principal::Person { user, .. } | Principal::App { user, .. } => Account::User(*user),
            Principal::Device { device, .. } => Account::Device(*device),
            Principal::Local(name) => Account::Local(name.clone()),
        }
    }

    /// The person behind it, if it is one.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Principal::Person { user, .. } | Principal::App { user, .. } => Some(*user),
            Principal::Device { .. } | Principal::Local(_) => None,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::User(user) => write!(f, "user/{user}"),
            Account::Device(device) => write!(f, "device/{device}"),
            Account::Local(name) => write!(f, "local/{name}"),
        }
    }
}
