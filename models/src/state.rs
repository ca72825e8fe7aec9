//! State: what a strategy shows of itself, as a small tree that any format can print.

/// A part of it.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Parts by name, in order.
    Table(Vec<(String, State)>),
    /// Parts in order.
    List(Vec<State>),
    /// A text, such as an endpoint's name.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// A whole number that may be negative.
    Signed(i64),
    /// A number.
    Number(f64),
    /// Whether something is so.
    Flag(bool),
    /// That there is none.
    None,
}

impl State {
    /// Nothing to show.
    pub fn empty() -> State {
        State::Table(Vec::new())
    }

    /// Parts by name.
    pub fn table<S: Into<String>>(parts: impl IntoIterator<Item = (S, State)>) -> State {
        State::Table(parts.into_iter().map(|(name, part)| (name.into(), part)).collect())
    }

    /// Parts in order.
    pub fn list<S: Into<State>>(parts: impl IntoIterator<Item = S>) -> State {
        State::List(parts.into_iter().map(Into::into).collect())
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        match self {
            State::Table(parts) => parts.is_empty(),
            State::List(parts) => parts.is_empty(),
            State::None => true,
            State::Text(_) | State::Whole(_) | State::Signed(_) | State::Number(_) | State::Flag(_) => false,
        }
    }
}

/// Declares what becomes a state.
macro_rules! from {
    ($($type:ty: $it:ident => $state:expr;)*) => {
        $(impl From<$type> for State {
            fn from($it: $type) -> State {
                $state
            }
        })*
    };
}

from! {
    &str: it => State::Text(it.to_owned());
    String: it => State::Text(it);
    u32: it => State::Whole(u64::from(it));
    u64: it => State::Whole(it);
    i64: it => State::Signed(it);
    f64: it => State::Number(it);
    bool: it => State::Flag(it);
}
