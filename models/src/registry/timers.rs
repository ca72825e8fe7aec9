//! Timers of a registry's parts, as timers of its nodes.

/// Makes a timer of each part one of the registry's `Timer`, and that one of a node.
macro_rules! parts {
    ($($Part:ident($timer:ty)),* $(,)?) => {
        $(impl From<$timer> for $crate::node::Timer {
            fn from(timer: $timer) -> $crate::node::Timer {
                Timer::$Part(timer).into()
            }
        })*
    };
}

pub(super) use parts;
