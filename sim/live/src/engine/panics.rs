//! Panics of users' code: which process it was, when, and what it said. madsim lets them end the run.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;
use std::time::Duration;

use madsim::task::NodeId as Place;

use super::exact;
use crate::trouble::Trouble;

thread_local! {
    /// Whether what this thread does is a run whose panics are kept.
    static ON_STAGE: Cell<bool> = const { Cell::new(false) };
    /// How much time madsim had simulated when the run began.
    static CURTAIN: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// The names of madsim's nodes.
    static NAMES: RefCell<Vec<(Place, String)>> = const { RefCell::new(Vec::new()) };
    /// The first panic.
    static LAST: RefCell<Option<Trouble>> = const { RefCell::new(None) };
}

/// From now on the panics of this thread are kept, and not printed.
pub(super) fn keep(names: Vec<(Place, String)>) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| if ON_STAGE.get() { note(info) } else { before(info) }));
    });
    NAMES.set(names);
    CURTAIN.set(exact::elapsed());
    ON_STAGE.set(true);
}

/// From now on they are not.
pub(super) fn let_go() {
    ON_STAGE.set(false);
}

/// What has ended the run of this thread, if it was a panic that was kept.
pub(super) fn kept() -> Option<Trouble> {
    let_go();
    LAST.take()
}

fn note(info: &PanicHookInfo<'_>) {
    let place = madsim::plugin::node();
    let name = NAMES.with_borrow(|names| names.iter().find(|(node, _)| *node == place).cloned());
    let part = name.map_or_else(|| "the engine".to_owned(), |(_, name)| name);
    let at = exact::elapsed().saturating_sub(CURTAIN.get());
    let at = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
    let said = said(info.payload());
    let message = info.location().map_or_else(
        || said.clone(),
        |location| format!("{said}, in {}:{}", location.file(), location.line()),
    );
    LAST.with_borrow_mut(|last| {
        last.get_or_insert(Trouble::Panicked { part, at, message });
    });
}

fn said(payload: &dyn Any) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    payload.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic without words".to_owned())
}
