#!/usr/bin/env bash
# A one-node Slurm cluster for testing `--launcher slurm`, in a folder of its own.
#
#   Tools/slurm_node.sh start DIR    starts it, waits until it accepts jobs, and prints its environment
#   Tools/slurm_node.sh env DIR      prints the environment again: export "$(Tools/slurm_node.sh env DIR)"
#   Tools/slurm_node.sh stop DIR     ends its jobs and daemons; keeps the folder with its logs
#
# Only tests of the launcher need it. On Debian and Ubuntu, install
#   apt-get install --no-install-recommends slurm-wlm munge
# Runs as any user, including root, without systemd. Exits with status 77 if programs are missing.
set -euo pipefail

say() { echo "slurm_node: $*" >&2; }
stop() { say "error: $*"; exit 1; }

PATH=$PATH:/usr/sbin:/sbin
daemons=(slurmd slurmctld munged)     # in the order of stopping

pid_of() { # daemon; fails if it is not running
    local pid
    pid=$(cat "$dir/$1.pid" 2> /dev/null) && [[ $(readlink "/proc/$pid/exe") == */"$1"* ]] && echo "$pid"
}

# Waits until a command succeeds; fails after a timeout.
await() { # seconds, command
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# A free port below the ephemeral range.
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || break
    done
    echo "$port"
}

configure() {
    local host cpus user
    host=$(hostname -s) cpus=$(getconf _NPROCESSORS_ONLN) user=$(id -un)
    cat > "$dir/slurm.conf" << CONF
ClusterName=private
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
KillWait=10
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
}

is_idle() { [ "$(sinfo --noheader --format %T 2> /dev/null)" = idle ]; }

start() {
    local program missing=()
    for program in "${daemons[@]}" sbatch; do
        command -v "$program" > /dev/null || missing+=("$program")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        say "not found: ${missing[*]}; on Debian: apt-get install --no-install-recommends slurm-wlm munge"
        exit 77
    fi
    # Slurm's configuration has no quoting, and a socket's path has at most 107 characters.
    [[ $dir != *[[:space:]#]* && ${#dir} -le 90 ]] || stop "'$dir' is not usable; use a short path without spaces"
    for program in "${daemons[@]}"; do
        [ -z "$(pid_of "$program")" ] || stop "'$dir' already has a running $program; stop it first"
    done

    # Daemons must not keep descriptors open that the caller waits on. 255 is this script.
    local file
    for file in /proc/$$/fd/*; do
        case ${file##*/} in 0 | 1 | 2 | 255) ;; *) eval "exec ${file##*/}>&-" ;; esac
    done

    # Nor may they inherit ignored signals.
    local daemon=(env --default-signal)

    mkdir -p "$dir/state" "$dir/spool"
    [ -e "$dir/munge.key" ] || (umask 077 && head -c 128 /dev/urandom > "$dir/munge.key")
    configure
    # Without --force, munge insists on folders that only root can create.
    "${daemon[@]}" munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munged.log" --seed-file="$dir/munged.seed" > /dev/null 2>&1 || gave_up munged
    "${daemon[@]}" slurmctld -f "$dir/slurm.conf" > /dev/null 2>&1 < /dev/null || gave_up slurmctld
    "${daemon[@]}" slurmd -f "$dir/slurm.conf" > /dev/null 2>&1 < /dev/null || gave_up slurmd
    await 30 is_idle || gave_up slurmctld
    environment
}

gave_up() { # daemon
    say "error: the node failed to start; the end of $dir/$1.log:"
    tail -n 5 "$dir/$1.log" >&2 || true
    finish
    exit 1
}

environment() { echo "SLURM_CONF=$dir/slurm.conf"; }

is_gone() { [ ! -e "/proc/$1/exe" ]; }     # also true for a zombie
has_no_jobs() { [ -z "$(timeout 5 squeue --noheader 2> /dev/null)" ]; }

# Processes that jobs left behind, if no controller was there to end them.
orphans() {
    local process
    for process in /proc/[0-9]*; do
        if { [ "$(cat "$process/comm")" = slurmstepd ] && [ "$process/cwd" -ef "$dir" ]; } ||
            { tr '\0' '\n' < "$process/environ" | grep -q '^SLURM_JOB_ID=' &&
                tr '\0' '\n' < "$process/environ" | grep -qxF "SLURM_CONF=$dir/slurm.conf"; }; then
            echo "${process#/proc/}"
        fi
    done 2> /dev/null
}

finish() {
    local program pid
    if [ -n "$(pid_of slurmctld)" ]; then
        timeout 10 scancel --quiet --user="$(id -un)" 2> /dev/null || true
        await 15 has_no_jobs || true
    fi
    for program in "${daemons[@]}"; do
        pid=$(pid_of "$program") || continue
        kill "$pid"
        await 10 is_gone "$pid" || kill -9 "$pid"
    done
    for pid in $(orphans); do kill -9 "$pid" 2> /dev/null || true; done
}

[ $# -eq 2 ] && [[ $1 =~ ^(start|stop|env)$ ]] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$(realpath -m "$2")
export SLURM_CONF=$dir/slurm.conf
case $1 in
start) start ;;
stop) finish ;;
env) environment ;;
esac
