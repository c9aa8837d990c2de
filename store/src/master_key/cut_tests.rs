//! The power is cut at each step of a change: at least one way opens, and nothing is left beside.

use std::fs;

use super::files::Step;
use super::tests::{Folder, passphrase};
use super::*;

const OLD: &str = "a lamp in the window";
const NEW: &str = "two lamps in the window";

/// What was done since the last sync may be on the disk or not, each thing for itself.
fn survivals(steps: usize, synced: usize) -> Vec<Vec<usize>> {
    let unsure = steps - synced;
    let survives = |chosen: usize| {
        let of_unsure = (0..unsure).filter(move |at| chosen & (1 << at) != 0);
        (0..synced).chain(of_unsure.map(move |at| synced + at)).collect()
    };
    (0..1 << unsure).map(survives).collect()
}

/// Takes those of the steps that survive; ones that need a step that was lost are lost too.
fn take(steps: Vec<Step>, survive: &[usize]) {
    for (at, step) in steps.into_iter().enumerate() {
        if survive.contains(&at) {
            files::run(vec![step]).ok();
        }
    }
}

/// Cuts the power at each step of a change of a folder that `make` made.
fn cut_everywhere(
    make: impl Fn() -> Folder,
    change: impl Fn(&Folder) -> Vec<Step>,
    opens: impl Fn(&Folder, bool) -> Result<Opened, KeyError>,
) {
    let count = change(&make()).len();
    let mut cuts = 0;
    for done in 0..=count {
        let steps = change(&make());
        let last_sync = steps[..done].iter().rposition(|step| matches!(step, Step::Sync(_)));
        for survive in survivals(done, last_sync.map_or(0, |at| at + 1)) {
            let folder = make();
            take(change(&folder), &survive);
            opens(&folder, survive.len() == count).unwrap_or_else(|error| {
                panic!("after {done} steps, of which {survive:?} survived: {error}")
            });
            let left = fs::read_dir(folder.keys.wrapped(Way::KeyFile).parent().unwrap()).unwrap();
            assert_eq!(left.count(), folder.keys.ways().unwrap().len(), "nothing is left beside");
            cuts += 1;
        }
    }
    assert!(cuts > count, "{cuts} cuts");
}

fn with_key_file() -> Folder {
    let folder = Folder::new();
    let key = folder.load().unwrap().key;
    // It says whether a key is its key, and that none may be made anew.
    folder.make_database(&key);
    folder
}

fn with_passphrase() -> Folder {
    let folder = with_key_file();
    folder.add(NewWay::Passphrase(&passphrase(OLD))).unwrap();
    folder
}

#[test]
fn a_cut_while_a_way_is_added_leaves_the_other() {
    let adding = |folder: &Folder| {
        let key = folder.load().unwrap().key;
        let passphrase = passphrase(NEW);
        folder.keys.adding(NewWay::Passphrase(&passphrase), &key, &folder.limits).unwrap()
    };
    cut_everywhere(with_key_file, adding, |folder, finished| {
        if finished {
            fs::remove_file(&folder.keys.key_file).unwrap();
            return folder.with(NEW);
        }
        folder.load()
    });
}

#[test]
fn a_cut_while_the_passphrase_is_changed_leaves_the_old_or_the_new() {
    let make = || {
        let folder = with_passphrase();
        folder.keys.remove(Way::KeyFile, Some(&passphrase(OLD)), &folder.limits).unwrap();
        folder
    };
    let changing = |folder: &Folder| {
        let key = folder.with(OLD).unwrap().key;
        folder.keys.changing(&passphrase(NEW), &key, &folder.limits).unwrap()
    };
    cut_everywhere(make, changing, |folder, finished| {
        if finished { folder.with(NEW) } else { folder.with(OLD).or_else(|_| folder.with(NEW)) }
    });
}

#[test]
fn a_cut_while_a_way_is_removed_leaves_the_other() {
    let removing = |folder: &Folder| files::removing(&folder.keys.wrapped(Way::KeyFile));
    cut_everywhere(with_passphrase, removing, |folder, finished| {
        assert!(!finished || folder.load().is_err());
        folder.with(OLD)
    });
}

#[test]
fn a_cut_while_the_first_key_is_made_lets_the_next_start_make_it() {
    let make = || {
        let folder = Folder::new();
        fs::create_dir_all(folder.keys.wrapped(Way::KeyFile).parent().unwrap()).unwrap();
        folder
    };
    let making = |folder: &Folder| {
        let key = DataKey::random().unwrap();
        let mut steps = files::placing(&folder.keys.key_file, identity::new_key_file());
        let identity = age::x25519::Identity::generate();
        // Another identity's, so that what survives of it must not be taken for the end.
        let wrapped = wrapped::for_x25519(&key, &identity).unwrap();
        steps.extend(files::placing(&folder.keys.wrapped(Way::KeyFile), wrapped).drain(..1));
        steps
    };
    cut_everywhere(make, making, |folder, _| folder.load());
}
