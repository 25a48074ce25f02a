//! A training that is killed, again and again, at any moment: SIGKILL, which no program can catch. Each time the checkpoint must be whole
//! and that of an uninterrupted run to the bit; and so must the end.
#![allow(clippy::unwrap_used)] // helpers of the tests
#![cfg(unix)] // where a kill is a kill

mod common;

use common::{data, run_toy};
use gradus_training::{Checkpoint, State};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many kills there are at least.
const KILLS: usize = 60;
/// Under which a child finds the file to write.
const FILE: &str = "GRADUS_TEST_CHECKPOINT";

/// What the parent starts and kills: a run that goes on from its checkpoint and writes it after each step.
#[test]
#[ignore = "started by the other test"]
fn child() {
    if let Some(file) = std::env::var_os(FILE) {
        let _ = run_toy(&data(), Some(Path::new(&file)), u64::MAX);
    }
}

fn start(file: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored"])
        .env(FILE, file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The models of an uninterrupted run by (epoch, step), as its checkpoints have them.
fn uninterrupted(folder: &Path) -> BTreeMap<(u64, u64), State<f32>> {
    let (file, images) = (folder.join("whole.safetensors"), data());
    let mut states = BTreeMap::new();
    loop {
        // A step a call: each call goes on from the file.
        let ended = run_toy(&images, Some(&file), 1).is_some();
        let at = Checkpoint::<f32>::load(&file).unwrap();
        states.insert((at.epoch, at.step), at.model);
        if ended {
            return states;
        }
    }
}

#[test]
fn sixty_kills_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let images = data();
    let (last, history) = run_toy(&images, None, u64::MAX).unwrap();
    let states = uninterrupted(folder.path());
    assert!(states.len() >= 54);
    assert_eq!(run_toy(&images, Some(&folder.path().join("whole.safetensors")), u64::MAX).unwrap().0, last);

    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut kills, mut midway, mut runs, mut torn) = (0, 0, 0, 0);
    while kills < KILLS {
        let file = folder.path().join(format!("{runs}.safetensors"));
        let mut before = (0, 0);
        // What a first start takes until it has written something, so that moments before, in and after a write are met on any machine.
        let mut reach = Duration::from_millis(40);
        loop {
            let mut child = start(&file);
            let wait = reach.mul_f64(rng.next_u32() as f64 / f64::from(u32::MAX));
            std::thread::sleep(wait);
            let finished = child.try_wait().unwrap();
            if let Some(status) = finished {
                assert!(status.success());
                break;
            }
            child.kill().unwrap();
            // It may have come to its end since it was asked.
            if child.wait().unwrap().success() {
                break;
            }
            kills += 1;
            torn += leftovers(folder.path());
            if !file.exists() {
                assert_eq!(before, (0, 0), "a checkpoint went away");
                reach += Duration::from_millis(20);
                continue;
            }
            let at = Checkpoint::<f32>::load(&file).unwrap();
            let place = (at.epoch, at.step);
            assert!(place >= before, "back from {before:?} to {place:?}");
            // Where an epoch begins, nothing has moved since the last step of the one before.
            let begins =
                || states.range(..place).next_back().filter(|_| place.1 == 0).map(|(_, model)| model);
            assert_eq!(Some(&at.model), states.get(&place).or_else(begins), "another model at {place:?}");
            if place == before {
                reach += Duration::from_millis(20);
            } else {
                midway += 1;
            }
            before = place;
        }
        // Going on from the end of a run is its end: the model is the best one, which the run kept.
        let (state, ours) = run_toy(&images, Some(&file), u64::MAX).unwrap();
        assert_eq!((state, ours), (last.clone(), history.clone()));
        runs += 1;
    }
    // Nothing is left behind once a run has come to its end.
    assert_eq!(leftovers(folder.path()), 0);
    println!(
        "{kills} kills in {runs} runs, {midway} with progress since the last, {torn} in the midst of a write"
    );
    assert!(midway >= KILLS / 4, "only {midway} kills came after a step");
}

/// Files that a kill in the midst of a write left; the next write removes them.
fn leftovers(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".partial")).count()
}
