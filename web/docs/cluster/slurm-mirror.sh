#!/bin/sh
# Syncs a mirror on a Slurm cluster: plans here, fetches N segments as an array, and applies when all of them are done.
#
#   sh slurm-mirror.sh s3://inventories/photos/daily/ /shared/photos 16
#
# Run again, it goes on with the plan that is there. The last line is the number of the job that applies.
set -eu
[ $# = 3 ] || { echo "usage: sh slurm-mirror.sh s3://BUCKET/PREFIX/ DIR N" >&2; exit 2; }
inventories=$1 mirror=$2 n=$3
here=$(cd "$(dirname "$0")" && pwd)

highwater mirror plan "$inventories" "$mirror" >&2
fetch=$(sbatch --parsable --array="1-$n" "$here/slurm-fetch.sbatch" "$mirror" "$n")
sbatch --parsable --dependency="afterok:$fetch" "$here/slurm-apply.sbatch" "$mirror" "$n"
