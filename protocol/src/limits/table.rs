//! How the numbers of [`Limits`](super::Limits) become its fields, its names and its page.

/// Why a `NAME=NUMBER` was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// No `=`, or no number after it.
    #[error("`{0}` is not NAME=NUMBER")]
    Form(String),
    /// No such limit.
    #[error("there is no limit `{name}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names, separated by spaces.
        known: String,
    },
}

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident = $default:expr;)+) => {
        /// The limits in force.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])+ pub $name: usize,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// Every limit's name, in the order of this page.
            pub const NAMES: &[&str] = &[$(stringify!($name),)+];

            /// Sets one by `NAME=NUMBER`.
            pub fn set(&mut self, text: &str) -> Result<(), LimitError> {
                let form = || LimitError::Form(text.to_string());
                let (name, number) = text.split_once('=').ok_or_else(form)?;
                let number: usize = number.trim().parse().map_err(|_| form())?;
                match name.trim() {
                    $(stringify!($name) => self.$name = number,)+
                    other => return Err(LimitError::Unknown {
                        name: other.to_string(),
                        known: Self::NAMES.join(" "),
                    }),
                }
                Ok(())
            }
        }

        impl fmt::Display for Limits {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{}={}", stringify!($name), self.$name)?;)+
                Ok(())
            }
        }
    };
}

pub(super) use limits;
