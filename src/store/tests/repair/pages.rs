//! Damaged pages cost what stood on them, and no more.

use super::*;

#[test]
fn a_damaged_page_of_calls_costs_what_stood_on_it() {
    strike_each(&BLOWS, |name| name == "calls");
}

#[test]
fn a_damaged_page_of_an_index_or_of_sums_costs_nothing() {
    strike_each(&BLOWS[1..2], |name| {
        name.starts_with("calls_") || name.starts_with("sqlite_autoindex") || name.starts_with("rollups")
    });
}

#[test]
fn a_damaged_page_of_names_or_sessions_costs_no_call() {
    strike_each(&BLOWS, |name| {
        matches!(name, "names" | "sessions" | "timer_events")
    });
}

#[test]
fn a_damaged_page_of_what_a_session_has_beside_its_clock_costs_no_call() {
    strike_each(&BLOWS, |name| {
        ["checkpoints", "reports", "paused_calls", "conversations"]
            .iter()
            .any(|table| name.starts_with(table))
    });
}

#[test]
fn a_damaged_page_that_is_free_or_of_the_map_of_pages_costs_nothing() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let kinds = page_kinds(&path);
    let count = u32::try_from(std::fs::metadata(&path).unwrap().len()).unwrap() / PAGE as u32;
    // The second page is the map's first.
    let free: Vec<u32> = (2..=count).filter(|page| !kinds.contains_key(page)).collect();
    assert!(free.len() > 3 && free[0] == 2, "{free:?}");
    for page in [free[0], free[1], free[free.len() - 1]] {
        for (blow_name, blow) in BLOWS {
            let after = strike(directory.path(), &[page], blow);
            assert_eq!(after.calls, Some(CALLS as usize), "{page}, {blow_name}");
        }
    }
}

#[test]
fn many_damaged_pages_cost_their_rows_and_not_the_rest() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let pages = u32::try_from(std::fs::metadata(&path).unwrap().len()).unwrap() / PAGE as u32;
    // Without its header and all of its schema, nothing tells whose file it is: the third time the header is spared.
    for (every, first) in [(50, 1), (10, 1), (4, 5)] {
        let struck: Vec<u32> = (first..=pages).filter(|page| page % every == 1).collect();
        let after = strike(directory.path(), &struck, BLOWS[1].1);
        let kept = after.calls.unwrap();
        let expected = CALLS as usize - CALLS as usize / every as usize;
        println!(
            "every {every}th page: {kept} of {CALLS} calls kept; {}",
            after.told[0]
        );
        assert!(kept * 100 >= expected * 90, "{kept} of {expected}");
    }
}

#[test]
fn a_file_that_was_cut_off_keeps_its_beginning() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let bytes = std::fs::read(&path).unwrap();
    for (numerator, odd) in [(3, 0), (2, 1_000), (1, 1)] {
        let length = bytes.len() / 4 * numerator / PAGE * PAGE + odd;
        let copy = tempdir().unwrap();
        std::fs::write(options(copy.path()).path, &bytes[..length]).unwrap();
        let (store, _) = open(copy.path());
        let told = store.health().take_news();
        assert_eq!(told.len(), 1);
        let kept = store.health().report().repair.unwrap().tables["calls"].kept;
        println!("{numerator}/4 of the file: {kept} calls kept; {}", told[0]);
        assert!(kept * 10 >= CALLS * numerator as u64, "{kept}");
        put(&store, finished(&full(CALLS + 1)));
    }
}

#[test]
fn a_damaged_page_of_conversations_costs_the_bonds_that_stood_on_it() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let kinds = page_kinds(&options(directory.path()).path);
    let pages: Vec<u32> = kinds
        .iter()
        .filter(|(_, (name, _))| name == "conversations")
        .map(|(page, _)| *page)
        .collect();
    assert_eq!(pages.len(), 1);
    for (blow_name, blow) in BLOWS {
        let after = strike(directory.path(), &pages, blow);
        assert_eq!(after.calls, Some(CALLS as usize), "{blow_name}");
        // Their bytes stand at the page's end, so that a hole before them does no harm.
        let expected = if blow_name == "a hole" {
            SESSIONS as usize
        } else {
            0
        };
        assert_eq!(after.bound, expected, "{blow_name}");
        assert_eq!(after.told.len(), usize::from(expected == 0), "{blow_name}");
    }
}
