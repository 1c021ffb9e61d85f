//! Instances of the endpoint, by foreign clients: AWS's own library, and Packer.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Home, repository};

/// The name of the user of the recipe.
const USER: &str = "admin";

/// Stops the endpoint whatever becomes of the test.
struct Down<'a>(&'a Home);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        self.0.run(&["cloud", "down"]);
    }
}

/// The least image, whose user is called as those of Debian's own images are.
fn build(home: &Home) -> Option<()> {
    let recipe = fs::read_to_string(repository().join("examples/minimal/amint.toml")).unwrap();
    let recipe = recipe.replace("name = \"ec2-user\"", &format!("name = \"{USER}\""));
    assert!(recipe.contains(USER), "{recipe}");
    let folder = home.path().join("recipe");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("amint.toml");
    fs::write(&path, recipe).unwrap();
    let output = home.build(&["--no-test", path.to_str().unwrap()])?;
    assert!(output.status.success());
    Some(())
}

fn has(program: &str, arguments: &[&str]) -> bool {
    let is_there = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("SKIPPED: `{program} {}` does not work", arguments.join(" "));
    }
    is_there
}

/// Tells whether instances can have the port of SSH, which many systems give to root only.
fn has_low_ports() -> bool {
    // An address that no instance has.
    let is_given = TcpListener::bind(("127.63.255.254", 22)).is_ok();
    if !is_given {
        eprintln!("SKIPPED: this user may not open port 22");
    }
    is_given
}

/// Runs a foreign client with the environment that the endpoint gives; shows what it wrote.
fn client(home: &Home, program: impl AsRef<OsStr>, arguments: &[&str]) -> Output {
    let env = home.run(&["cloud", "env"]).stdout;
    let env = String::from_utf8(env).unwrap();
    let variables = env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    let output = Command::new(program)
        .args(arguments)
        .envs(variables)
        .envs([("CHECKPOINT_DISABLE", "1"), ("HOME", home.path().to_str().unwrap())])
        .current_dir(repository())
        .output()
        .unwrap();
    eprintln!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output
}

/// Returns the id of the image of the store.
fn image_id(home: &Home, python: &str) -> String {
    let script = "import boto3, os\n\
                  ec2 = boto3.client('ec2', endpoint_url=os.environ['AWS_ENDPOINT_URL'])\n\
                  print(ec2.describe_images(Filters=[{'Name': 'name', 'Values': ['store/*']}])['Images'][0]['ImageId'])";
    let output = client(home, python, &["-c", script]);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn instances_boot_stop_and_become_images_by_foreign_clients() {
    let Some(home) = Home::new() else { return };
    let pythons = ["/usr/bin/python3", "python3"];
    let Some(python) = pythons.into_iter().find(|python| has(python, &["-c", "import boto3"])) else {
        return;
    };
    if !has("ssh", &["-V"]) || !has_low_ports() || build(&home).is_none() {
        return;
    }
    let _down = Down(&home);
    let up = home.run(&["cloud", "up", "--port", "0", "--time-scale", "60", "--memory", "4096"]);
    assert!(up.status.success());
    let image = image_id(&home, python);
    let script = include_str!("cloud_instances.py");
    let keys = home.path().to_str().unwrap();
    let output = client(&home, python, &["-c", script, &image, USER, keys]);
    assert!(output.status.success(), "the instances of AWS's library (see above)");
    let file = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let verified = home.run(&[
        "identity",
        "verify",
        "--document",
        &file("identity.document"),
        "--signature",
        &file("identity.rsa2048"),
        "--also-trust",
        &file("cloud/identity-certificates.txt"),
        "--image",
        &image,
    ]);
    assert!(verified.status.success(), "the identity document of the instance (see above)");
    // From here on with an image that was published as to AWS: block by block, by its API.
    let image = publish(&home);
    if has("packer", &["--version"]) {
        build_by_packer(&home, python, &image);
    } else {
        run_published(&home, python, &image);
    }
}

/// Publishes the image to the endpoint, proves it, and returns the AMI.
fn publish(home: &Home) -> String {
    let (amint, folder) = (assert_cmd::cargo::cargo_bin!("amint"), home.path().to_str().unwrap());
    let region = ["--region", "us-east-1"];
    let published =
        client(home, amint, &[&["--home", folder, "--json", "publish", "minimal"], &region[..]].concat());
    assert!(published.status.success(), "the publication (see above)");
    let text = String::from_utf8(published.stdout).unwrap();
    let result: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let image = result["images"][0]["image_id"].as_str().unwrap().to_owned();
    let verified = client(home, amint, &[&["--home", folder, "verify", &image], &region[..]].concat());
    assert!(verified.status.success(), "the proof (see above)");
    image
}

/// Starts the published image, and waits until its kernel speaks: Packer would have logged in.
fn run_published(home: &Home, python: &str, image: &str) {
    let script = "import boto3, os, sys, time\n\
                  ec2 = boto3.client('ec2', endpoint_url=os.environ['AWS_ENDPOINT_URL'])\n\
                  id = ec2.run_instances(ImageId=sys.argv[1], MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']\n\
                  end = time.time() + 300\n\
                  while 'Linux version' not in ec2.get_console_output(InstanceId=id).get('Output', ''):\n    \
                      assert time.time() < end\n    time.sleep(0.5)\n\
                  ec2.terminate_instances(InstanceIds=[id])";
    assert!(
        client(home, python, &["-c", script, image]).status.success(),
        "the published image does not boot"
    );
}

/// By `amazon-ebs` with a package that is installed, and by `amazon-ebssurrogate` on a spot instance.
fn build_by_packer(home: &Home, python: &str, image: &str) {
    let package = package(home.path());
    let (image, package) = (format!("source_ami={image}"), format!("package={package}"));
    for (template, variables) in [
        ("tests/foreign/packer-ssh.json", vec![&image, &package]),
        ("tests/foreign/packer-surrogate.json", vec![&image]),
    ] {
        let mut arguments = vec!["build", "-color=false"];
        arguments.extend(variables.into_iter().flat_map(|variable| ["-var", variable]));
        arguments.push(template);
        let output = client(home, "packer", &arguments);
        assert!(output.status.success(), "{template} (see above)");
    }
    let script = include_str!("cloud_packer.py");
    let output = client(home, python, &["-c", script, USER, home.path().to_str().unwrap()]);
    assert!(output.status.success(), "the instances of Packer's images (see above)");
}

/// Makes a package of Debian, and returns its path.
fn package(folder: &Path) -> String {
    let tree = folder.join("amint-greeting");
    fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    let control = "Package: amint-greeting\nVersion: 1.2.3\nArchitecture: all\n\
                   Maintainer: amint <amint@localhost>\nDescription: a greeting\n";
    fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let path = folder.join("package.deb");
    let made =
        Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&tree).arg(&path).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_endpoint_that_is_killed_leaves_no_machine_and_goes_on_where_it_was() {
    let Some(home) = Home::new() else { return };
    let pythons = ["/usr/bin/python3", "python3"];
    let Some(python) = pythons.into_iter().find(|python| has(python, &["-c", "import boto3"])) else {
        return;
    };
    if build(&home).is_none() {
        return;
    }
    let _down = Down(&home);
    let up = || assert!(home.run(&["cloud", "up", "--port", "0"]).status.success());
    up();
    let image = image_id(&home, python);
    let start = "import boto3, os, sys\n\
                 ec2 = boto3.client('ec2', endpoint_url=os.environ['AWS_ENDPOINT_URL'])\n\
                 id = ec2.run_instances(ImageId=sys.argv[1], MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']\n\
                 ec2.get_waiter('instance_running').wait(InstanceIds=[id], WaiterConfig={'Delay': 1})\n\
                 print(id)";
    let id = client(&home, python, &["-c", start, &image]).stdout;
    let id = String::from_utf8(id).unwrap().trim().to_owned();
    let machine = number(&home.path().join("cloud/instances").join(&id).join("process.json"));
    let endpoint = number(&home.path().join("cloud/endpoint.json"));
    assert!(Path::new(&format!("/proc/{machine}")).exists());
    assert!(Command::new("kill").args(["-KILL", &endpoint.to_string()]).status().unwrap().success());
    while is_alive(endpoint) {
        std::thread::yield_now();
    }
    up();
    assert!(!is_alive(machine), "the machine is left");
    let again = "import boto3, os, sys\n\
                 ec2 = boto3.client('ec2', endpoint_url=os.environ['AWS_ENDPOINT_URL'])\n\
                 one = lambda: ec2.describe_instances(InstanceIds=[sys.argv[1]])['Reservations'][0]['Instances'][0]\n\
                 assert one()['State']['Name'] == 'stopped', one()\n\
                 assert one()['StateReason']['Code'] == 'Server.InternalError', one()\n\
                 ec2.start_instances(InstanceIds=[sys.argv[1]])\n\
                 ec2.get_waiter('instance_running').wait(InstanceIds=[sys.argv[1]], WaiterConfig={'Delay': 1})";
    assert!(client(&home, python, &["-c", again, &id]).status.success());
    let machine = number(&home.path().join("cloud/instances").join(&id).join("process.json"));
    assert!(home.run(&["cloud", "down"]).status.success());
    assert!(!is_alive(machine), "nothing outlives the endpoint");
}

/// Reads the number of a process out of a note.
fn number(path: &Path) -> u64 {
    let note: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    note["process"].as_u64().unwrap()
}

/// Tells whether a process runs; one that nobody has waited for yet does not.
fn is_alive(process: u64) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
