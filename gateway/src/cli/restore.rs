//! `hearth restore`: a new data folder, and its key, of a backup.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use hearth_protocol::limits::Limits;
use hearth_store::backup::{self, Restored};
use serde_json::json;

use super::backup::read_identity;
use super::{Failure, passphrase};
use crate::config::Place;

/// `hearth restore`
#[derive(ClapArgs)]
pub struct Args {
    /// The backup.
    file: PathBuf,
    /// The key that opens it; `-`: standard input.
    #[arg(long, value_name = "KEYFILE")]
    identity: PathBuf,
}

/// What a restored house is called; one that nobody set up has no name.
pub(super) fn name(restored: &Restored) -> &str {
    if restored.house.is_empty() { "A house without a name" } else { &restored.house }
}

/// Runs `hearth restore`.
pub fn run(place: &Place, args: &Args, json: bool) -> Result<(), Failure> {
    let identity = read_identity(&args.identity)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let limits = Limits::default();
    let passphrase = passphrase::given(place, &limits)?;
    let (file, keys) = (args.file.clone(), place.keys.clone());
    let restored = runtime.block_on(async {
        let restore =
            move || backup::restore(&file, &identity, &keys, passphrase.as_ref(), &limits);
        tokio::task::spawn_blocking(restore).await
    })??;
    let counts = restored.counts;
    if json {
        let made_at = restored.made_at;
        let restored = json!({ "house": restored.house, "made_at": made_at, "counts": counts });
        println!("{restored}");
        return Ok(());
    }
    let (house, data) = (name(&restored), place.data.display());
    println!("{house} is in {data}: {} rows, {} attachments.", counts.rows, counts.files);
    if counts.lost > 0 {
        eprintln!("{}", super::backup::lost_from(counts.lost));
    }
    for way in place.keys.ways()? {
        println!("What opens it: {way}.");
    }
    println!("Start it with `hearth --data {data} serve`. Let the old box not run as well: both");
    println!("would be the same house and know nothing of each other.");
    Ok(())
}
