//! The life of one machine, from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, interval, sleep};

use super::power::On;
use super::{CLOSING_TIME, Command, Commands, Machines, Meanwhile, SHUT_DOWN_TIME};
use crate::world::World;

/// How often the power button is pressed: a guest that starts does not notice it at first.
const PRESS_PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether credentials are due.
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);
/// How long a guest may take to let go of a disk, and how often that is looked at.
const UNPLUG_TIME: Duration = Duration::from_mins(1);
const UNPLUG_PAUSE: Duration = Duration::from_millis(100);

/// What a machine is on its way to.
enum Goal {
    Stopped { reason: Option<(&'static str, String)> },
    Terminated { reason: (&'static str, String) },
    Again,
}

/// A goal, and when the power is taken away at the latest.
type Way = (Goal, Instant);

/// Runs the machine of an instance until it is off for good, and tells the world what became of it.
pub(super) async fn run(
    world: &Arc<World>,
    machines: &Machines,
    id: &str,
    (sender, mut commands): Commands,
    mut closing: watch::Receiver<bool>,
) {
    loop {
        let started = On::start(world, machines, id, &sender).await;
        let mut waiting = Vec::new();
        let end = match started {
            Ok(mut on) => {
                world.machine_runs(id);
                let ears = Ears { commands: &mut commands, closing: &mut closing };
                let goal = attend(world, machines, id, &mut on, ears, &mut waiting).await;
                on.end().await;
                Ok(goal)
            }
            Err(words) => Err(words),
        };
        if !matches!(end, Ok(Goal::Again)) {
            // First: whoever sees it stopped may start it again.
            machines.strike(id);
            while let Ok(command) = commands.try_recv() {
                if let Command::Pause { meanwhile } = command {
                    waiting.push(meanwhile);
                }
            }
        }
        for Meanwhile(meanwhile) in waiting {
            // One that panicked has done what it could.
            let _ = tokio::task::spawn_blocking(meanwhile).await;
        }
        match end {
            Ok(Goal::Again) => {}
            Ok(Goal::Stopped { reason }) => return world.machine_stopped(id, reason),
            Ok(Goal::Terminated { reason }) => return world.machine_terminated(id, reason),
            Err(words) => return world.machine_failed(id, &words),
        }
    }
}

/// Where a machine hears what it shall do.
struct Ears<'a> {
    commands: &'a mut UnboundedReceiver<Command>,
    closing: &'a mut watch::Receiver<bool>,
}

/// Attends to a machine that is on, until it is off or has to be. What waits for that is added to `waiting`.
async fn attend(
    world: &Arc<World>,
    machines: &Machines,
    id: &str,
    on: &mut On,
    ears: Ears<'_>,
    waiting: &mut Vec<Meanwhile>,
) -> Goal {
    let mut way: Option<Way> = None;
    let mut presses = interval(PRESS_PAUSE);
    let mut renewals = interval(RENEWAL_PAUSE);
    loop {
        tokio::select! {
            () = on.guest.ended() => {
                return way.map_or_else(|| of_itself(world, on, id), |(goal, _)| goal);
            }
            () = closed(ears.closing), if !is_closing(way.as_ref()) => {
                let reason = Some(("Server.ScheduledStop", "The endpoint was stopped".to_owned()));
                let goal = match way.take() {
                    Some((goal @ Goal::Terminated { .. }, _)) => goal,
                    _ => Goal::Stopped { reason },
                };
                way = Some((goal, Instant::now() + CLOSING_TIME));
                presses.reset_immediately();
            }
            _ = renewals.tick() => on.renew(world, machines, id).await,
            _ = presses.tick(), if way.is_some() => {
                if way.as_ref().is_some_and(|(_, end)| Instant::now() >= *end) {
                    return way.map_or(Goal::Stopped { reason: None }, |(goal, _)| goal);
                }
                // One that is about to end takes no more commands.
                let _ = on.guest.power_down().await;
            }
            Some(command) = ears.commands.recv() => {
                let next = match command {
                    Command::Pause { meanwhile } => {
                        waiting.push(meanwhile);
                        Some((Goal::Again, SHUT_DOWN_TIME))
                    }
                    other => {
                        let next = goal_of(world, id, &other);
                        if next.is_none() {
                            serve(world, machines, id, on, other).await;
                        }
                        next
                    }
                };
                let Some((goal, patience)) = next else { continue };
                let is_ending = matches!(way, Some((Goal::Stopped { .. } | Goal::Terminated { .. }, _)));
                if is_ending && matches!(goal, Goal::Again) {
                    continue;
                }
                if patience.is_zero() {
                    return goal;
                }
                way = Some((goal, Instant::now() + patience));
                presses.reset_immediately();
            }
        }
    }
}

/// Returns where a command leads, and how long the guest may take; none for commands that do not end the machine.
fn goal_of(world: &World, id: &str, command: &Command) -> Option<(Goal, Duration)> {
    let reason = ("Client.UserInitiatedShutdown", "User initiated shutdown".to_owned());
    match command {
        Command::Stop { is_forced } => {
            let patience = if *is_forced { Duration::ZERO } else { SHUT_DOWN_TIME };
            Some((Goal::Stopped { reason: Some(reason) }, patience))
        }
        Command::Terminate => {
            let patience = if world.has_lasting_volume(id) { SHUT_DOWN_TIME } else { Duration::ZERO };
            Some((Goal::Terminated { reason }, patience))
        }
        Command::Reboot => Some((Goal::Again, SHUT_DOWN_TIME)),
        _ => None,
    }
}

/// Waits until the endpoint ends.
async fn closed(closing: &mut watch::Receiver<bool>) {
    // Without a sender it has ended.
    drop(closing.wait_for(|is_closing| *is_closing).await);
}

/// Tells whether a machine ends soon enough for an endpoint that ends.
fn is_closing(way: Option<&Way>) -> bool {
    let is_end = |goal: &Goal| !matches!(goal, Goal::Again);
    way.is_some_and(|(goal, end)| is_end(goal) && *end <= Instant::now() + CLOSING_TIME)
}

/// Tells what becomes of an instance whose machine ended though nobody asked for it.
fn of_itself(world: &World, on: &On, id: &str) -> Goal {
    let message = on.guest.message();
    if !message.is_empty() {
        return Goal::Stopped { reason: Some(("Server.InternalError", format!("QEMU ended: {message}"))) };
    }
    let reason = ("Client.InstanceInitiatedShutdown", "Instance initiated shutdown".to_owned());
    if world.is_terminated_by_shutdown(id) {
        Goal::Terminated { reason }
    } else {
        Goal::Stopped { reason: Some(reason) }
    }
}

/// Does what does not end the machine.
async fn serve(world: &World, machines: &Machines, id: &str, on: &mut On, command: Command) {
    match command {
        Command::Look => on.look(world, machines, id).await,
        // Who asked may be gone by now, here and below.
        Command::Forward { port, answer } => drop(answer.send(on.guest.forward(port).await.ok())),
        Command::Screen { is_woken, answer } => {
            drop(answer.send(on.guest.screen(is_woken).await.map_err(|error| error.to_string())));
        }
        Command::Plug { volume_id, answer } => {
            drop(answer.send(on.plug(world, machines, &volume_id).await));
        }
        Command::Unplug { volume_id, answer } => unplug(world, on, &volume_id, answer).await,
        Command::Stop { .. } | Command::Terminate | Command::Reboot | Command::Pause { .. } => {}
    }
}

/// Asks the guest to let go of a volume, and waits until it did.
async fn unplug(world: &World, on: &mut On, volume_id: &str, answer: oneshot::Sender<Result<(), String>>) {
    let asked = on.guest.unplug(volume_id).await.map_err(|error| error.to_string());
    let is_asked = asked.is_ok();
    drop(answer.send(asked));
    if !is_asked {
        return;
    }
    let end = Instant::now() + UNPLUG_TIME;
    while Instant::now() < end {
        match on.guest.is_plugged(volume_id).await {
            Ok(false) => {
                on.unserve(volume_id).await;
                world.volume_detached(volume_id);
                return;
            }
            Ok(true) => sleep(UNPLUG_PAUSE).await,
            Err(_) => break,
        }
    }
    world.volume_kept(volume_id);
}
