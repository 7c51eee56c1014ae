#!/usr/bin/env bash
# Starts a Slurm cluster of one node for the tests, with a GPU that is only declared. It installs packages of
# Debian and writes to /etc/slurm, so run it as root on a machine that you can throw away.
set -euo pipefail
name=histopatch-tests
state=/var/lib/$name

if ! grep --quiet "^ClusterName=$name$" /etc/slurm/slurm.conf 2> /dev/null; then
    if [ -e /etc/slurm/slurm.conf ]; then
        echo "/etc/slurm/slurm.conf is of another cluster: it is left alone, and no cluster is started" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install --yes -qq --no-install-recommends slurmctld slurmd slurm-client munge > /dev/null
fi

# Snakemake's plugin looks for the configuration here and nowhere else. The node claims more cores and memory
# than the machine has, so that jobs for real data fit. MinJobAge: without accounting, what Slurm still knows of
# jobs that have ended is the only record of them.
cat > /etc/slurm/slurm.conf << END
ClusterName=$name
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=86400
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
SlurmdParameters=config_overrides
ReturnToService=1
KillWait=5
NodeName=localhost CPUs=16 RealMemory=200000 Gres=gpu:1
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
END
echo "Name=gpu Count=1 File=/dev/null" > /etc/slurm/gres.conf
printf "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n" > /etc/slurm/cgroup.conf
# Anew, whatever an earlier start has left.
for daemon in slurmctld slurmd; do
    pkill --signal KILL --exact --pidfile "$state/$daemon.pid" "$daemon" 2> /dev/null || true
done
rm --recursive --force "$state"
mkdir -p "$state/controller" "$state/node"
install --directory --owner=munge --group=munge /run/munge

pgrep --exact munged > /dev/null || runuser --user munge -- /usr/sbin/munged
slurmctld
slurmd
for _ in $(seq 60); do
    if [ "$(sinfo --noheader --format=%T 2> /dev/null)" = idle ]; then
        exit 0
    fi
    sleep 1
done
echo "the cluster did not start; $state/slurmctld.log and $state/slurmd.log say why" >&2
exit 1
