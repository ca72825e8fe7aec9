//! Options of strategies: each declared once, with its name, what may be written, what it means and its default.
//!
//! A strategy's file says what its options are, and knows no TOML; the reader, its error messages, the JSON Schema and
//! the resolved scenario take them from here. So a strategy stays one file and one line in its catalog.

use schism_core::{Duration, Ratio};

/// The options of a strategy: a plain struct, made by the macro `options!`.
pub trait Options: Clone + std::fmt::Debug + PartialEq + Default + Sized {
    /// What they are, in the order in which they are shown.
    const KNOBS: &'static [Knob];
    /// The options for which these values were written.
    fn read(written: &mut dyn FnMut(&'static Knob) -> Value) -> Self;
    /// What they are set to, in the order of the knobs.
    fn values(&self) -> Vec<Value>;
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Its name in a scenario.
    pub name: &'static str,
    /// What it means: a sentence without its full stop.
    pub about: &'static str,
    /// What may be written.
    pub kind: Kind,
    /// What it is unless something is written.
    pub default: fn() -> Value,
}

/// What may be written for an option.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number between two.
    Count(u64, u64),
    /// The same, or this word for none.
    CountOr(u64, u64, &'static str),
    /// A number between two.
    Number(f64, f64),
    /// The same, or this word for none.
    NumberOr(f64, f64, &'static str),
    /// `true` or `false`.
    Flag,
    /// A time, and not none at all.
    Time,
    /// The same, or this word for none.
    TimeOr(&'static str),
    /// A share of at most all: `"15%"`.
    Share,
    /// A whole percentage between two, of which 100% need not be the most: `"125%"`.
    Percent(u64, u64),
    /// A whole percentage between two, or this word for none.
    PercentOr(u64, u64, &'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, each at most once, in an order that matters.
    Words(&'static [&'static str]),
    /// Any text.
    Text,
    /// Names.
    Names,
    /// Lists of names.
    Lists,
    /// A whole number for each of some names: `{ a = 1, b = 2 }`.
    Table(u64, u64),
}

/// What was written for an option.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The word for none.
    None,
    /// A whole number, or a whole percentage.
    Count(u64),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A time.
    Time(Duration),
    /// A share.
    Share(Ratio),
    /// One of the words.
    Word(&'static str),
    /// Some of the words.
    Words(Vec<&'static str>),
    /// A text.
    Text(String),
    /// Names.
    Names(Vec<String>),
    /// Lists of names.
    Lists(Vec<Vec<String>>),
    /// A number for each of some names.
    Table(Vec<(String, u32)>),
}

impl Value {
    /// Whether it is a list or a table with nothing in it: nothing can be written for that.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Words(words) => words.is_empty(),
            Value::Names(names) => names.is_empty(),
            Value::Lists(lists) => lists.is_empty(),
            Value::Table(table) => table.is_empty(),
            Value::None
            | Value::Count(_)
            | Value::Number(_)
            | Value::Flag(_)
            | Value::Time(_)
            | Value::Share(_)
            | Value::Word(_)
            | Value::Text(_) => false,
        }
    }
}

/// Options that contradict each other, or a value that a rule forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The option that is to be changed.
    pub option: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// What an option's value becomes in the program.
pub trait Setting: Sized {
    /// The setting for a value that its kind allows.
    fn get(value: Value) -> Self;
    /// The value for it.
    fn put(&self) -> Value;
}

/// Declares a setting and the one kind of value that it is.
macro_rules! setting {
    ($($type:ty: $variant:ident($value:ident) => $get:expr, $put:expr;)*) => {
        $(impl Setting for $type {
            fn get(value: Value) -> $type {
                let Value::$variant($value) = value else { unreachable!("{value:?} was read by its kind") };
                $get
            }
            fn put(&self) -> Value {
                let $value = self;
                Value::$variant($put)
            }
        })*
    };
}

setting! {
    u32: Count(it) => u32::try_from(it).expect("the kind keeps it within 32 bits"), u64::from(*it);
    u64: Count(it) => it, *it;
    f64: Number(it) => it, *it;
    bool: Flag(it) => it, *it;
    Duration: Time(it) => it, *it;
    Ratio: Share(it) => it, *it;
    String: Text(it) => it, it.clone();
    Vec<String>: Names(it) => it, it.clone();
    Vec<Vec<String>>: Lists(it) => it, it.clone();
    Vec<(String, u32)>: Table(it) => it, it.clone();
}

impl<T: Setting> Setting for Option<T> {
    fn get(value: Value) -> Option<T> {
        (value != Value::None).then(|| T::get(value))
    }

    fn put(&self) -> Value {
        self.as_ref().map_or(Value::None, T::put)
    }
}

/// No options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Nothing;

impl Options for Nothing {
    const KNOBS: &'static [Knob] = &[];

    fn read(_: &mut dyn FnMut(&'static Knob) -> Value) -> Nothing {
        Nothing
    }

    fn values(&self) -> Vec<Value> {
        Vec::new()
    }
}

/// Declares a strategy's options: each a field with its type and default, its name in a scenario, what may be written
/// and what it means.
macro_rules! options {
    ($(#[$doc:meta])* $visibility:vis struct $name:ident {
        $($field:ident: $type:ty = $default:expr, $knob:literal, $kind:expr, $about:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        $visibility struct $name {
            $(#[doc = $about] $visibility $field: $type,)*
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($field: $default,)* }
            }
        }

        impl $crate::options::Options for $name {
            const KNOBS: &'static [$crate::options::Knob] = {
                #[allow(clippy::allow_attributes, unused_imports, reason = "a strategy uses some of the kinds")]
                use $crate::options::Kind::*;
                &[$($crate::options::Knob {
                    name: $knob,
                    about: $about,
                    kind: $kind,
                    default: || <$type as $crate::options::Setting>::put(&$default),
                },)*]
            };

            fn read(
                written: &mut dyn FnMut(&'static $crate::options::Knob) -> $crate::options::Value,
            ) -> $name {
                let mut knobs = Self::KNOBS.iter();
                $(let $field = <$type as $crate::options::Setting>::get(
                    written(knobs.next().expect("a knob for each field")),
                );)*
                $name { $($field,)* }
            }

            fn values(&self) -> Vec<$crate::options::Value> {
                vec![$($crate::options::Setting::put(&self.$field),)*]
            }
        }
    };
}

/// Declares words that a scenario may write, one for each case of an enum.
macro_rules! words {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident { $($(#[$about:meta])* $case:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $name {
            $($(#[$about])* $case,)*
        }

        impl $name {
            /// The words, in order.
            $visibility const WORDS: &'static [&'static str] = &[$($word,)*];

            fn of_word(word: &str) -> $name {
                match word {
                    $($word => $name::$case,)*
                    word => unreachable!("`{word}` was read as one of the words"),
                }
            }

            /// How it is written.
            $visibility fn word(self) -> &'static str {
                match self {
                    $($name::$case => $word,)*
                }
            }
        }

        impl $crate::options::Setting for $name {
            fn get(value: $crate::options::Value) -> $name {
                let $crate::options::Value::Word(word) = value else {
                    unreachable!("{value:?} was read as a word")
                };
                $name::of_word(word)
            }

            fn put(&self) -> $crate::options::Value {
                $crate::options::Value::Word(self.word())
            }
        }

        impl $crate::options::Setting for Vec<$name> {
            fn get(value: $crate::options::Value) -> Vec<$name> {
                let $crate::options::Value::Words(words) = value else {
                    unreachable!("{value:?} was read as words")
                };
                words.into_iter().map($name::of_word).collect()
            }

            fn put(&self) -> $crate::options::Value {
                $crate::options::Value::Words(self.iter().map(|case| case.word()).collect())
            }
        }
    };
}

/// Declares the strategies of a trait that a scenario can name, each once: the enum of their options, and the catalog.
/// The trait has a `Config`, its options, and a `check` of them; `entry` makes a line of the catalog for a type.
macro_rules! named {
    ($trait:ident, $what:literal, $names:literal; $($name:literal, $about:literal, $variant:ident = $strategy:ty;)*) => {
        #[doc = $what]
        #[derive(Clone, Debug, PartialEq)]
        pub enum Config {
            $(#[doc = $about] $variant(<$strategy as $trait>::Config),)*
        }

        #[doc = $names]
        pub const CATALOG: &[Entry] = &[$(entry::<$strategy>($name, $about),)*];

        impl Config {
            /// The one of this name with the options that were written; None if there is none.
            pub fn read(
                name: &str,
                written: &mut dyn FnMut(&'static $crate::options::Knob) -> $crate::options::Value,
            ) -> Option<Config> {
                match name {
                    $($name => Some(Config::$variant($crate::options::Options::read(written))),)*
                    _ => None,
                }
            }

            /// Its name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Config::$variant(_) => $name,)*
                }
            }

            /// Its options, in the order of its knobs.
            pub fn values(&self) -> Vec<$crate::options::Value> {
                match self {
                    $(Config::$variant(config) => $crate::options::Options::values(config),)*
                }
            }

            /// What is wrong with options that can be written, but not together.
            ///
            /// # Errors
            /// Which of them to change, and to what.
            pub fn check(&self) -> Result<(), $crate::options::Clash> {
                match self {
                    $(Config::$variant(config) => <$strategy as $trait>::check(config),)*
                }
            }
        }
    };
}

pub(crate) use {named, options, words};

#[cfg(test)]
mod tests {
    use super::*;

    words! {
        /// Whose.
        enum Flavour {
            /// One.
            Envoy = "envoy",
            /// Another.
            Grpc = "grpc",
        }
    }

    options! {
        /// All kinds of them.
        struct Strategy {
            flavour: Flavour = Flavour::Grpc, "flavour", Word(Flavour::WORDS), "Whose rules";
            choices: u32 = 2, "choices", Count(2, 100), "How many are drawn";
            decay: Duration = Duration::from_secs(10), "decay", Time, "How fast it forgets";
            bound: Option<u32> = None, "bound", PercentOr(100, 1000, "none"), "How much more than its share";
            order: Vec<Flavour> = vec![Flavour::Envoy], "order", Words(Flavour::WORDS), "Who first";
        }
    }

    #[test]
    fn what_is_written_is_read_and_defaults_stand_for_the_rest() {
        let mut written = |knob: &'static Knob| match knob.name {
            "choices" => Value::Count(5),
            "bound" => Value::Count(125),
            _ => (knob.default)(),
        };
        let read = Strategy::read(&mut written);
        assert_eq!(read, Strategy { choices: 5, bound: Some(125), ..Strategy::default() });
        assert_eq!(read.values().len(), Strategy::KNOBS.len());
        let mut again = read.values().into_iter();
        assert_eq!(Strategy::read(&mut |_| again.next().expect("one value for each knob")), read);
    }
}
