//! When the library pings, and when it gives up a connection or a session that is silent.

use schism_core::{Duration, Time};

use super::super::api::Client;
use super::{Event, Library, State, Timer};
use crate::failpoint::Pass;
use crate::node::Ctx;

/// It pings this much sooner when it is woken for some other reason, and has sent nothing for as long
/// ("to prevent race condition missing to send the second ping", `run`).
const EARLY: Duration = Duration::from_secs(1);
/// It pings at least this often: every 10 s (`MAX_SEND_PING_INTERVAL`).
const LONGEST_IDLE: Duration = Duration::from_secs(10);

impl Library {
    /// No data for two thirds of the session's time-out ends a connection (`readTimeout`).
    fn read_timeout(&self) -> Duration {
        self.timeout * 2 / 3
    }

    /// No answer for one server's share of the session's time-out ends an attempt (`connectTimeout`).
    pub(super) fn connect_timeout(&self) -> Duration {
        self.timeout / self.servers.len() as u64
    }

    /// Pings, or gives up, if it is time to (`SendThread.run`).
    pub(super) fn wake(&mut self, ctx: &mut Ctx<'_>) -> Event<'static> {
        let now = ctx.now();
        if self.is_expired(now) {
            return self.expire(ctx);
        }
        let silent = now.since(self.heard);
        match self.state {
            State::Closed | State::Pausing => return Event::Nothing,
            State::Connecting => {
                if silent >= self.connect_timeout() {
                    return self.lose(ctx);
                }
                self.due = self.heard + self.connect_timeout();
            }
            State::Connected => {
                if silent >= self.read_timeout() {
                    return self.lose(ctx);
                }
                let idle = now.since(self.sent);
                let early = if idle > EARLY { EARLY } else { Duration::ZERO };
                if idle + early >= self.read_timeout() / 2 || idle > LONGEST_IDLE {
                    self.ping(ctx);
                }
                let ping = self.sent + self.read_timeout() / 2;
                self.due = ping.min(self.heard + self.read_timeout()).max(now);
            }
        }
        self.remind(ctx);
        Event::Nothing
    }

    fn ping(&mut self, ctx: &mut Ctx<'_>) {
        let pass = match self.point {
            Some(point) => self.passes.pass(ctx, point),
            None => Pass::Clear,
        };
        match pass {
            Pass::Clear => self.send(ctx, Client::Ping),
            Pass::Late(by) => {
                self.sent = ctx.now();
                ctx.after(by, Timer::PingLate(self.number).into());
            }
            Pass::Fails(_) | Pass::Ends => self.sent = ctx.now(),
        }
    }

    /// Whether it takes its session for expired by its own clock: 4/3 of the time-out without a word of any server.
    fn is_expired(&self, now: Time) -> bool {
        let version = self.config.version;
        let gives_up =
            if self.session.is_some() { version.expires_sessions() } else { version.expires_beginnings() };
        gives_up && self.state != State::Closed && now.since(self.heard_any) >= self.timeout * 4 / 3
    }

    pub(super) fn remind(&mut self, ctx: &mut Ctx<'_>) {
        if self.reminded.is_none_or(|at| at > self.due) {
            self.reminded = Some(self.due);
            ctx.at(self.due, Timer::Wake(self.number).into());
        }
    }
}
