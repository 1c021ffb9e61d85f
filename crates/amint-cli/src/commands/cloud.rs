//! `amint cloud`: an EC2-compatible endpoint over the images of the store.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use amint_cloud::{
    AccessKey, Clock, Endpoint, EndpointOptions, MachineOptions, World, WorldOptions, operation_names,
};
use amint_provenance::load_or_create_secret;
use amint_types::MIB;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::cloud_args::{CloudCommand, CloudEnvArgs, CloudUpArgs};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::{bridge, identity_keys};

/// How long the endpoint may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long the endpoint may take to start or stop: guests are asked to shut down first.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often its state is looked at meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// What a running endpoint says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct RunningEndpoint {
    port: u16,
    region: String,
    is_open: bool,
    process: i32,
}

impl RunningEndpoint {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The files of the endpoint.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn of(context: &Context) -> Result<Self, Failure> {
        let folder = context.home()?.join("cloud");
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| Failure::file(&folder, error))?;
        Ok(Self { folder })
    }

    fn state(&self) -> PathBuf {
        self.folder.join("endpoint.json")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Takes the lock that a running endpoint holds; none when one runs.
    fn lock(&self) -> Result<Option<File>, Failure> {
        let path = self.folder.join("lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(&path).map_err(|error| Failure::file(&path, error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => Ok(None),
            Err(error) => Err(Failure::file(&path, error.into())),
        }
    }

    /// Returns what the endpoint says about itself; none when none runs, or it is not ready yet.
    fn running(&self) -> Result<Option<RunningEndpoint>, Failure> {
        if self.lock()?.is_some() {
            return Ok(None);
        }
        match fs::read(self.state()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file(&self.state(), error)),
        }
    }
}

/// Starts, shows or stops the endpoint.
pub(crate) fn run(command: &CloudCommand, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        CloudCommand::Up(args) if args.foreground => serve(args, context),
        CloudCommand::Up(args) => up(args, context),
        CloudCommand::Env(args) => env(args, context),
        CloudCommand::Status => status(context),
        CloudCommand::Down => down(context),
        CloudCommand::Reset => reset(context),
    }
}

fn access_key(context: &Context) -> Result<AccessKey, Failure> {
    let path = context.home()?.join("keys/cloud.txt");
    let made = load_or_create_secret(&path, || {
        let key = AccessKey::generate().map_err(|error| Failure::new(ExitCode::Environment, error))?;
        Ok::<_, Failure>(Zeroizing::new(key.to_secret_text()))
    })?;
    AccessKey::from_secret_text(&String::from_utf8_lossy(&made.content)).map_err(|error| {
        Failure::new(ExitCode::Input, error)
            .hint(format!("remove {}: a new pair is made at the next start", path.display()))
    })
}

fn up(args: &CloudUpArgs, context: &Context) -> Result<ExitCode, Failure> {
    let place = Place::of(context)?;
    // One that was killed holds its lock for as long as it takes to die.
    let end = Instant::now() + PATIENCE;
    while let Some(running) = place.running()? {
        if answers(running.port) || Instant::now() > end {
            context.say(&format!("the endpoint runs already at {}", running.url()));
            return Ok(ExitCode::Fine);
        }
        std::thread::sleep(PAUSE);
    }
    access_key(context)?;
    check_low_ports(context);
    let mut child = spawn(args, &place, context)?;
    let running = wait_for_start(&place, &mut child)?;
    context.say(&format!("{} serves the images of the store in {}", running.url(), running.region));
    context.say("use it with: eval \"$(amint cloud env)\"");
    Ok(ExitCode::Fine)
}

/// Starts this program again, apart from the terminal.
fn spawn(args: &CloudUpArgs, place: &Place, context: &Context) -> Result<Child, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::new(ExitCode::Environment, error))?;
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    let log = options.open(place.log()).map_err(|error| Failure::file(&place.log(), error))?;
    let mut command = Command::new(program);
    command.arg("--home").arg(context.home()?).args(["cloud", "up", "--foreground", "--port"]);
    command.arg(args.port.to_string()).args(["--region", &args.region]);
    command.arg("--time-scale").arg(args.time_scale.to_string());
    if let Some(size) = args.page_size {
        command.arg("--page-size").arg(size.to_string());
    }
    if args.no_auth {
        command.arg("--no-auth");
    }
    command.arg("--machines").arg(args.machines.to_string());
    if let Some(memory) = args.memory {
        command.arg("--memory").arg(memory.to_string());
    }
    if args.let_out {
        command.arg("--let-out");
    }
    if let Some(chaos) = &args.chaos {
        command.arg("--chaos").arg(chaos.to_string());
    }
    // A group of its own: Ctrl-C at this terminal is not meant for it.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().map_err(|error| Failure::new(ExitCode::Environment, error))
}

fn wait_for_start(place: &Place, child: &mut Child) -> Result<RunningEndpoint, Failure> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            return Err(not_started(place, "it ended at once"));
        }
        if let Some(running) = place.running()?
            && TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, running.port))).is_ok()
        {
            return Ok(running);
        }
        std::thread::sleep(PAUSE);
    }
    // It is ours, and nobody would find it later.
    let _ = child.kill();
    Err(not_started(place, "it did not answer in time"))
}

/// Tells whether something answers at a port: to be connected to is no answer yet.
fn answers(port: u16) -> bool {
    let ask = || -> io::Result<bool> {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        Ok(stream.read(&mut [0; 1])? > 0)
    };
    ask().unwrap_or(false)
}

fn not_started(place: &Place, why: &str) -> Failure {
    let log = fs::read_to_string(place.log()).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    Failure::new(ExitCode::Environment, format!("the endpoint did not start: {why}: {last}"))
        .hint("another port: `amint cloud up --port 0`")
}

/// Serves until a signal comes.
fn serve(args: &CloudUpArgs, context: &Context) -> Result<ExitCode, Failure> {
    let place = Place::of(context)?;
    let Some(_lock) = place.lock()? else {
        return Err(Failure::new(ExitCode::Environment, "the endpoint runs already")
            .hint("`amint cloud status` tells where"));
    };
    let key = access_key(context)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).map_err(|error| {
        Failure::new(ExitCode::Environment, format!("port {} cannot be used: {error}", args.port))
            .hint("another port: `--port 0` takes any that is free")
    })?;
    let port = listener.local_addr().map_err(|error| Failure::new(ExitCode::Environment, error))?.port();
    let options = WorldOptions {
        region: args.region.clone(),
        state: Some(place.folder.join("state.sqlite")),
        clock: Clock::new(args.time_scale),
        page_default: args.page_size,
        machines: Some(MachineOptions {
            folder: place.folder.clone(),
            bridge: bridge()?,
            identity: identity_keys(context)?,
            count_max: args.machines,
            memory_mib_max: args.memory.unwrap_or_else(half_of_memory),
            is_let_out: args.let_out,
        }),
        chaos: args.chaos.clone().unwrap_or_default(),
        trail: Some(place.folder.join("trail")),
    };
    allow_many_files();
    write_certificates(&place, &options)?;
    let world = World::open(context.store()?, options).map_err(|error| {
        Failure::new(ExitCode::Input, error)
            .hint("`amint cloud reset` forgets everything that the endpoint did")
    })?;
    let endpoint = Endpoint::new(Arc::clone(&world), EndpointOptions { key, is_open: args.no_auth });
    let process = rustix::process::getpid().as_raw_nonzero().get();
    let running = RunningEndpoint { port, region: args.region.clone(), is_open: args.no_auth, process };
    write_state(&place, &running)?;
    context.say(&format!("{} serves the images of the store in {}", running.url(), running.region));
    let result = run_server(listener, endpoint, context);
    world.close();
    // Gone before the lock is, so that nobody takes it for that of the next endpoint.
    let _ = fs::remove_file(place.state());
    result.map_err(|error| Failure::new(ExitCode::Environment, error))?;
    Ok(ExitCode::Fine)
}

/// Returns half of this computer's memory, in MiB.
fn half_of_memory() -> u32 {
    let system = rustix::system::sysinfo();
    let bytes = system.totalram.saturating_mul(u64::from(system.mem_unit));
    u32::try_from(bytes / 2 / MIB).unwrap_or(u32::MAX)
}

/// Lets the endpoint open as many files as the system allows: each open port of an instance is one.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // With fewer, some ports of instances stay closed.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Tells when instances cannot have their low ports.
fn check_low_ports(context: &Context) {
    // An address that no instance has.
    let probe = TcpListener::bind((Ipv4Addr::new(127, 63, 255, 254), 22));
    if probe.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
        context.say(
            "ports below 1024 of instances stay closed: this user may not open them \
             (`sysctl net.ipv4.ip_unprivileged_port_start=22` allows it)",
        );
    }
}

/// Writes what `amint identity verify --also-trust` needs to believe the instances of the endpoint.
fn write_certificates(place: &Place, options: &WorldOptions) -> Result<(), Failure> {
    let Some(machines) = &options.machines else { return Ok(()) };
    let text = machines
        .identity
        .certificates(&options.region, options.clock.now())
        .map_err(|error| Failure::new(ExitCode::Environment, error))?;
    let path = place.folder.join("identity-certificates.txt");
    fs::write(&path, text).map_err(|error| Failure::file(&path, error))
}

fn write_state(place: &Place, running: &RunningEndpoint) -> Result<(), Failure> {
    let text = serde_json::to_vec(running).map_err(|error| Failure::new(ExitCode::Defect, error))?;
    let path = place.state();
    let written = tempfile::NamedTempFile::new_in(&place.folder).and_then(|mut file| {
        io::Write::write_all(&mut file, &text)?;
        file.persist(&path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| Failure::file(&path, error))
}

fn run_server(listener: TcpListener, endpoint: Endpoint, context: &Context) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cancel = context.cancel.clone();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            result = endpoint.serve(listener) => result,
            () = async {
                while !cancel.is_cancelled() {
                    tokio::time::sleep(PAUSE).await;
                }
            } => Ok(()),
        }
    })
}

fn env(args: &CloudEnvArgs, context: &Context) -> Result<ExitCode, Failure> {
    let running = require(&Place::of(context)?)?;
    let mut key = access_key(context)?;
    let mut name = "amint".to_owned();
    if let Some(account) = &args.account {
        key = key.of_account(account).map_err(|error| Failure::new(ExitCode::Usage, error))?;
        name = format!("amint-{account}");
    }
    let (url, region) = (running.url(), &running.region);
    let mut text = String::new();
    if args.profile {
        let _ = write!(
            text,
            "[profile {name}]\nregion = {region}\nendpoint_url = {url}\naws_access_key_id = {}\n\
             aws_secret_access_key = {}\n",
            key.id(),
            key.secret()
        );
    } else {
        for (name, value) in [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_ACCESS_KEY_ID", key.id()),
            ("AWS_SECRET_ACCESS_KEY", key.secret()),
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ] {
            let _ = writeln!(text, "export {name}={value}");
        }
        text.push_str("unset AWS_PROFILE AWS_SESSION_TOKEN\n");
    }
    context.print(&text);
    Ok(ExitCode::Fine)
}

fn status(context: &Context) -> Result<ExitCode, Failure> {
    let Some(running) = Place::of(context)?.running()? else {
        context.print("the endpoint does not run: `amint cloud up` starts it\n");
        return Ok(ExitCode::Gate);
    };
    let images = context.store()?.images(false)?.len();
    if context.global.json {
        context.print_json(&serde_json::json!({
            "url": running.url(),
            "region": running.region,
            "verifies_signatures": !running.is_open,
            "images": images,
            "operations": operation_names(),
        }))?;
        return Ok(ExitCode::Fine);
    }
    let signatures = if running.is_open { "not verified" } else { "verified" };
    let mut text = format!(
        "{}\n  region      {}\n  images      {images}\n  signatures  {signatures}\n  operations\n",
        running.url(),
        running.region
    );
    for name in operation_names() {
        let _ = writeln!(text, "    {name}");
    }
    context.print(&text);
    Ok(ExitCode::Fine)
}

fn down(context: &Context) -> Result<ExitCode, Failure> {
    let place = Place::of(context)?;
    let Some(running) = place.running()? else {
        context.say("the endpoint does not run");
        return Ok(ExitCode::Fine);
    };
    // The lock is held, so the process that wrote its number is alive: no other has taken it.
    let process = Pid::from_raw(running.process)
        .ok_or_else(|| Failure::new(ExitCode::Input, "the endpoint's state cannot be read"))?;
    kill_process(process, Signal::TERM)
        .map_err(|error| Failure::new(ExitCode::Environment, io::Error::from(error)))?;
    let end = Instant::now() + PATIENCE;
    while place.lock()?.is_none() {
        if Instant::now() > end {
            return Err(Failure::new(ExitCode::Environment, "the endpoint does not stop"));
        }
        std::thread::sleep(PAUSE);
    }
    context.say("the endpoint has stopped");
    Ok(ExitCode::Fine)
}

/// Forgets everything that the endpoint did; images of the store stay as they are.
fn reset(context: &Context) -> Result<ExitCode, Failure> {
    let place = Place::of(context)?;
    let Some(_lock) = place.lock()? else {
        return Err(
            Failure::new(ExitCode::Environment, "the endpoint runs").hint("stop it: `amint cloud down`")
        );
    };
    for name in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
        let path = place.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::file(&path, error)),
            _ => {}
        }
    }
    for name in ["instances", "trail", "volumes"] {
        let path = place.folder.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::file(&path, error)),
            _ => {}
        }
    }
    // Only the endpoint keeps anything in the store by name.
    let store = context.store()?;
    for (name, _) in store.pins()? {
        store.unpin(&name)?;
    }
    for name in store.begun()? {
        store.abandon(&name)?;
    }
    context.say("the endpoint has forgotten what was done with it; `amint gc` frees the space");
    Ok(ExitCode::Fine)
}

fn require(place: &Place) -> Result<RunningEndpoint, Failure> {
    place.running()?.ok_or_else(|| {
        Failure::new(ExitCode::Environment, "the endpoint does not run").hint("start it: `amint cloud up`")
    })
}
