use super::*;

/// A line in virtual time, which starts at 0 and passes only when told.
struct Line {
    rates: Rates,
    start: Instant,
    now: Duration,
}

fn group(name: &str, limit: u32, window: u32) -> RateGroup {
    RateGroup { name: name.into(), limit, window, account_wide: false }
}

impl Line {
    fn new(groups: &[RateGroup]) -> Self {
        let mut rates = Rates::default();
        rates.declare(groups);
        Self { rates, start: Instant::now(), now: Duration::ZERO }
    }

    /// Lets time pass until so many milliseconds after the start.
    fn at(&mut self, milliseconds: u64) -> &mut Self {
        self.now = Duration::from_millis(milliseconds);
        self
    }

    fn now(&self) -> Instant {
        self.start + self.now
    }

    fn join(&mut self, group: &str) -> Ticket {
        self.rates.join(Some(group))
    }

    /// The millisecond until which a ticket has to wait; `None` if it went.
    fn go(&mut self, ticket: Ticket) -> Option<u128> {
        let wait = self.rates.go(ticket, self.now()).err()?;
        Some((wait.until - self.start).as_millis())
    }

    /// As [`Line::go`] for a newcomer.
    fn ask(&mut self, group: &str) -> Option<u128> {
        let ticket = self.join(group);
        let wait = self.go(ticket);
        self.rates.end(ticket, self.now());
        wait
    }

    fn end(&mut self, ticket: Ticket) {
        self.rates.end(ticket, self.now());
    }

    /// Sends one that is answered at once, with this notice; `limited` is a 429.
    fn answered(&mut self, group: &str, limited: bool, notice: &Notice) {
        let (ticket, now) = (self.join(group), self.now());
        assert_eq!(self.go(ticket), None, "{group} takes one");
        match limited {
            true => self.rates.close(Some(group), notice, now),
            false => self.rates.learn(ticket, Some(group), notice, now),
        }
        self.end(ticket);
    }

    fn queue(&self) -> usize {
        self.rates.queue.len()
    }
}

fn count(group: &str, limit: u32, window: u32, remaining: usize) -> Notice {
    let pace = Pace::new(limit, window);
    Notice { group: Some(group.into()), pace, remaining: Some(remaining), retry_after: None }
}

fn asking(seconds: u64) -> Notice {
    Notice { retry_after: Some(Duration::from_secs(seconds)), ..Notice::default() }
}

#[test]
fn a_group_takes_its_limit_and_then_one_whenever_one_is_a_window_old() {
    let mut line = Line::new(&[group("slow", 2, 10)]);
    assert_eq!(line.ask("slow"), None);
    assert_eq!(line.at(4000).ask("slow"), None);
    assert_eq!(line.at(5000).ask("slow"), Some(10_000));
    assert_eq!(line.at(9999).ask("slow"), Some(10_000));
    assert_eq!(line.at(10_000).ask("slow"), None);
    assert_eq!(line.ask("slow"), Some(14_000));
}

#[test]
fn a_place_is_taken_for_a_whole_window_after_the_answer() {
    let mut line = Line::new(&[group("slow", 1, 10)]);
    let slow = line.join("slow");
    assert_eq!(line.go(slow), None);
    assert_eq!(line.at(20_000).ask("slow"), Some(30_000), "it is still under way");
    line.at(25_000).end(slow);
    assert_eq!(line.ask("slow"), Some(35_000));
    assert_eq!(line.at(35_000).ask("slow"), None);
}

#[test]
fn whoever_came_first_goes_first() {
    let mut line = Line::new(&[group("slow", 2, 10)]);
    let all: Vec<_> = (0..7).map(|_| line.join("slow")).collect();
    let waits: Vec<_> = all.iter().map(|&ticket| line.go(ticket)).collect();
    assert_eq!(waits, [None, None, Some(10_000), Some(10_000), Some(20_000), Some(20_000), Some(30_000)]);
    all[..2].iter().for_each(|&ticket| line.end(ticket));
    line.at(10_000);
    assert_eq!(line.go(all[4]), Some(20_000), "two are in front");
    assert_eq!((line.go(all[3]), line.go(all[2])), (None, None), "there is room for both");
}

#[test]
fn whoever_gives_up_lets_the_others_move_up() {
    let mut line = Line::new(&[group("slow", 1, 10)]);
    assert_eq!(line.ask("slow"), None);
    let (first, second) = (line.join("slow"), line.join("slow"));
    assert_eq!(line.go(second), Some(20_000));
    line.end(first);
    assert_eq!(line.go(second), Some(10_000));
    line.end(second);
    assert_eq!(line.queue(), 0);
}

#[test]
fn what_never_left_takes_no_place() {
    let mut line = Line::new(&[group("slow", 1, 10)]);
    let lost = line.join("slow");
    assert_eq!(line.go(lost), None);
    line.rates.give_back(lost);
    line.end(lost);
    assert_eq!(line.ask("slow"), None);
}

#[test]
fn groups_do_not_wait_for_each_other_but_all_wait_for_an_account_wide_one() {
    let wide = RateGroup { account_wide: true, ..group("company", 3, 1) };
    let mut line = Line::new(&[wide, group("slow", 1, 60), group("other", 9, 60)]);
    assert_eq!(line.ask("slow"), None);
    let stuck = line.join("slow");
    assert_eq!(line.go(stuck), Some(60_000));
    assert_eq!(line.ask("other"), None);
    // The stuck one has a claim to a place in the company's window, too.
    assert_eq!(line.ask("other"), Some(1000));
    line.end(stuck);
    assert_eq!(line.ask("unheard of"), None);
    assert_eq!(line.ask("other"), Some(1000));
    assert_eq!(line.at(1000).ask("other"), None);
}

#[test]
fn what_belongs_to_no_group_has_no_limit_and_can_be_told_to_wait() {
    let mut line = Line::new(&[group("slow", 1, 10)]);
    assert!((0..1000).all(|_| line.ask("unheard of").is_none()));
    line.answered("unheard of", true, &asking(7));
    assert_eq!(line.ask("unheard of"), Some(7000));
    assert_eq!(line.ask("slow"), None);
}

#[test]
fn a_429_closes_its_group_until_the_penalty_is_over() {
    let mut line = Line::new(&[group("heavy", 10, 60), group("light", 50, 60)]);
    line.answered("heavy", true, &asking(60));
    assert_eq!(line.at(59_999).ask("heavy"), Some(60_000));
    assert_eq!(line.ask("light"), None);
    assert_eq!(line.at(60_000).ask("heavy"), None);
    line.answered("heavy", true, &count("Heavy", 10, 60, 0));
    assert_eq!(line.ask("heavy"), Some(120_000), "without Retry-After, the window that is used up");
}

#[test]
fn after_a_penalty_the_providers_word_counts_and_not_that_nothing_remained() {
    let mut line = Line::new(&[group("heavy", 10, 60)]);
    line.answered("heavy", true, &Notice { retry_after: Some(Duration::from_secs(1)), ..count("heavy", 10, 60, 0) });
    assert_eq!(line.ask("heavy"), Some(1000));
    assert_eq!(line.at(1000).ask("heavy"), None);
}

#[test]
fn a_shorter_penalty_does_not_end_a_longer_one() {
    let mut line = Line::new(&[group("heavy", 10, 60)]);
    let (one, two) = (line.join("heavy"), line.join("heavy"));
    assert_eq!((line.go(one), line.go(two)), (None, None));
    for (ticket, seconds) in [(one, 30), (two, 5)] {
        line.rates.close(Some("heavy"), &asking(seconds), line.start);
        line.end(ticket);
    }
    assert_eq!(line.ask("heavy"), Some(30_000));
}

#[test]
fn a_429_that_names_another_group_closes_that_one() {
    let mut line = Line::new(&[group("heavy", 10, 60), group("light", 50, 60)]);
    line.answered("light", true, &Notice { group: Some("heavy".into()), ..asking(60) });
    assert_eq!((line.ask("light"), line.ask("heavy")), (None, Some(60_000)));
    line.answered("light", true, &Notice { group: Some("unheard of".into()), ..asking(60) });
    assert_eq!(line.ask("light"), Some(60_000));
}

#[test]
fn the_providers_own_limit_replaces_the_declared_one() {
    let mut line = Line::new(&[group("heavy", 10, 60)]);
    line.answered("heavy", false, &count("heavy", 2, 30, 1));
    assert_eq!(line.ask("heavy"), None);
    assert_eq!(line.ask("heavy"), Some(30_000));
}

#[test]
fn what_others_used_up_is_not_there_for_us() {
    let mut line = Line::new(&[group("heavy", 10, 60)]);
    line.answered("heavy", false, &count("heavy", 10, 60, 2));
    assert_eq!((line.ask("heavy"), line.ask("heavy")), (None, None));
    assert_eq!(line.ask("heavy"), Some(60_000));
    assert_eq!(line.at(60_000).ask("heavy"), None);
}

#[test]
fn a_huge_limit_that_others_used_up_is_counted_at_once() {
    let mut line = Line::new(&[group("heavy", 10, 60)]);
    let began = Instant::now();
    line.answered("heavy", false, &count("heavy", 100_000, 60, 0));
    assert_eq!(line.ask("heavy"), Some(60_000));
    assert_eq!(line.at(60_000).ask("heavy"), None);
    assert!(began.elapsed() < Duration::from_secs(5), "one pass, not one for each place: {:?}", began.elapsed());
}

#[test]
fn a_request_counts_where_the_provider_counted_it() {
    let mut line = Line::new(&[group("heavy", 2, 60)]);
    let generic = line.rates.join(None);
    assert_eq!(line.go(generic), None);
    line.rates.learn(generic, None, &count("heavy", 2, 60, 1), line.start);
    line.end(generic);
    assert_eq!(line.ask("heavy"), None);
    assert_eq!(line.ask("heavy"), Some(60_000));
}

#[test]
fn a_new_revision_changes_limits_and_forgets_nothing() {
    let mut line = Line::new(&[group("heavy", 10, 60), group("light", 9, 60)]);
    line.answered("heavy", true, &asking(30));
    assert_eq!(line.ask("light"), None);
    line.rates.declare(&[group("heavy", 20, 60), group("light", 1, 60), group("new", 1, 60)]);
    assert_eq!((line.ask("heavy"), line.ask("light"), line.ask("new")), (Some(30_000), Some(60_000), None));
}

#[test]
fn in_no_window_are_there_more_than_the_limit() {
    let mut line = Line::new(&[group("brisk", 10, 1)]);
    let mut waiting: VecDeque<_> = (0..200).map(|_| line.join("brisk")).collect();
    let (mut sent, mut under_way) = (Vec::new(), Vec::new());
    for millisecond in 0..60_000 {
        line.at(millisecond);
        while waiting.front().is_some_and(|&ticket| line.go(ticket).is_none()) {
            sent.push(millisecond);
            under_way.push((millisecond + sent.len() as u64 * 7 % 90, waiting.pop_front().expect("the one that went")));
        }
        for &(_, ticket) in under_way.iter().filter(|(answered, _)| *answered == millisecond) {
            line.end(ticket);
        }
    }
    assert_eq!(sent.len(), 200);
    assert!(sent.windows(11).all(|eleven| eleven[10] - eleven[0] > 1000), "{sent:?}");
    assert!(sent[199] < 21_000, "no place is left empty for long: {}", sent[199]);
}

#[test]
fn a_pace_that_nothing_could_keep_is_none() {
    for (limit, window) in [(0, 60), (10, 0), (100_001, 60), (10, 86_401), (u32::MAX, u32::MAX)] {
        assert_eq!(Pace::new(limit, window), None, "{limit} in {window}");
    }
    assert_eq!(Pace::new(1, 86_400).map(|pace| pace.to_string()).as_deref(), Some("1 in 86400 s"));
}
