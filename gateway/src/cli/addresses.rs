//! `hearth house addresses`: from where the house is reached.

use clap::{Args, Subcommand};
use hearth_protocol::network::Network;
use hearth_store::AddressRules;

use super::{Failure, house};
use crate::admin::Request;
use crate::config::Place;

/// `hearth house`
#[derive(Subcommand)]
pub enum HouseCommand {
    /// Show or replace the networks that are let in. The box itself always is.
    Addresses(AddressArgs),
}

/// The rules as a whole; none of these shows them.
#[derive(Args)]
pub struct AddressArgs {
    /// Let in this network and no others but those that are named too; may be repeated.
    #[arg(long, value_name = "NETWORK")]
    allow: Vec<Network>,
    /// Do not let in this network; may be repeated.
    #[arg(long, value_name = "NETWORK")]
    deny: Vec<Network>,
    /// Let in everybody again.
    #[arg(long, conflicts_with_all = ["allow", "deny"])]
    all: bool,
}

/// Runs `hearth house`.
pub fn run(place: &Place, command: HouseCommand, json: bool) -> Result<(), Failure> {
    let HouseCommand::Addresses(AddressArgs { allow, deny, all }) = command;
    let asked = all || !allow.is_empty() || !deny.is_empty();
    let set = asked.then_some((allow, deny));
    house::print(house::ask(place, Request::HouseAddresses { set })?, json)
}

/// One network a line.
pub(super) fn print(rules: &AddressRules) {
    if rules.allow.is_empty() && rules.deny.is_empty() {
        println!("everybody is let in");
    }
    rules.allow.iter().for_each(|network| println!("allow  {network}"));
    rules.deny.iter().for_each(|network| println!("deny   {network}"));
}
