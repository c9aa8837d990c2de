//! `hearth unlock`: brings the passphrase to a box that waits for it.

use hearth_protocol::limits::Limits;
use hearth_store::Passphrase;

use super::{Failure, passphrase};
use crate::admin::{self, Reply, Request};
use crate::config::Place;

/// Asks for the passphrase and hands it over; says so if there is nothing to unlock.
pub fn run(place: &Place) -> Result<(), Failure> {
    match ask(place, Request::Status)? {
        Reply::Refused { code, .. } if code == "locked" => {}
        _ => {
            println!("the box is open already");
            return Ok(());
        }
    }
    let passphrase = match passphrase::given(place, &Limits::default())? {
        Some(given) => given,
        None => typed()?,
    };
    match ask(place, Request::Unlock { passphrase })? {
        Reply::Refused { code, message, .. } if code != "open_already" => Err(message.into()),
        _ => {
            println!("the box is open");
            Ok(())
        }
    }
}

fn typed() -> Result<Passphrase, Failure> {
    let missing = "no terminal to ask for the passphrase: use --passphrase-file";
    Ok(passphrase::typed("Passphrase: ")?.ok_or(missing)?)
}

fn ask(place: &Place, request: Request) -> Result<Reply, Failure> {
    let socket = place.admin_socket();
    match admin::ask(&socket, &request) {
        Ok(Some(reply)) => Ok(reply),
        Ok(None) => {
            let data = place.data.display();
            Err(format!("no box runs on {data}; start it with `hearth serve`").into())
        }
        Err(error) => {
            Err(format!("cannot ask the box through {}: {error}", socket.display()).into())
        }
    }
}
