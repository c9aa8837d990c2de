//! A password split in two: what the box may check, and what opens the vault (sealing.md §2).

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{SealingError, Secret, kdf};

/// How much work a password takes: Argon2id v1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

impl Cost {
    /// Refuses what would make guessing cheap (below 19 MiB, 2 passes) or stop the machine (above
    /// 256 MiB, 10 passes, 4 lanes): the box is not trusted with these numbers.
    pub fn check(&self) -> Result<(), SealingError> {
        let memory = (19 * 1024..=256 * 1024).contains(&self.memory_kib);
        if memory && (2..=10).contains(&self.passes) && (1..=4).contains(&self.lanes) {
            return Ok(());
        }
        let Cost { memory_kib, passes, lanes } = *self;
        Err(SealingError::Cost { memory_kib, passes, lanes })
    }
}

/// Bytes of a salt.
pub const SALT: usize = 16;

/// What Argon2id makes of a password: never leaves this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretched(Secret);

/// Stretches the NFKC form of a password. Takes about half a second and `cost.memory_kib`.
pub fn stretch(password: &str, salt: &[u8; SALT], cost: &Cost) -> Result<Stretched, SealingError> {
    cost.check()?;
    let refuse = |_| {
        let Cost { memory_kib, passes, lanes } = *cost;
        SealingError::Cost { memory_kib, passes, lanes }
    };
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(refuse)?;
    let password = Zeroizing::new(password.nfkc().collect::<String>());
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, out.as_mut())
        .map_err(refuse)?;
    Ok(Stretched(Secret::from_bytes(*out)))
}

impl Stretched {
    /// The 32 bytes, for vectors.
    pub const fn secret(&self) -> &Secret {
        &self.0
    }

    /// What the box gets over TLS to check the login; it stores its SHA-256.
    pub fn auth_key(&self) -> Secret {
        kdf::hkdf(self.0.as_bytes(), b"", b"hearth/v1/auth")
    }

    /// What opens the vault.
    pub fn vault_key(&self) -> Secret {
        kdf::hkdf(self.0.as_bytes(), b"", b"hearth/v1/vault")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_outside_the_bounds_are_refused_before_any_work() {
        let good = Cost::default();
        for cost in [
            Cost { memory_kib: 19 * 1024 - 1, ..good },
            Cost { memory_kib: 256 * 1024 + 1, ..good },
            Cost { memory_kib: u32::MAX, ..good },
            Cost { passes: 1, ..good },
            Cost { passes: 11, ..good },
            Cost { lanes: 0, ..good },
            Cost { lanes: 5, ..good },
        ] {
            assert!(matches!(stretch("x", &[0; 16], &cost), Err(SealingError::Cost { .. })));
        }
    }

    #[test]
    fn the_same_password_typed_elsewhere_is_the_same() {
        let cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
        let composed = stretch("caf\u{e9} \u{fb01}n", &[7; 16], &cost).unwrap();
        let decomposed = stretch("cafe\u{301} fin", &[7; 16], &cost).unwrap();
        assert_eq!(composed, decomposed);
        assert_ne!(composed, stretch("cafe fin", &[7; 16], &cost).unwrap());
        assert_ne!(composed, stretch("caf\u{e9} \u{fb01}n", &[8; 16], &cost).unwrap());
        assert_ne!(composed.auth_key(), composed.vault_key());
    }
}
