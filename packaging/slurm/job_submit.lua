-- The hook that tells the Hybrid Cloud Service to look at once when a job is submitted to, or moved into, its queue.
-- Without it the service looks every POLL_INTERVAL seconds; with it a node is ordered within a second of `sbatch`.
--
-- To install, on the machine where slurmctld runs:
--
--   no job_submit.lua yet:  copy this file beside slurm.conf, set `JobSubmitPlugins=lua` there, `scontrol reconfigure`
--                           (Slurm before 20.02: restart slurmctld)
--   you have one already:   copy the two lines marked (1) and (2): the first above your functions, the second as the
--                           first line inside your slurm_job_submit (and, if you like, inside your slurm_job_modify)
--
-- What it may never do is delay or refuse a submission: the command runs in the background with all its output thrown
-- away, and `pcall` swallows whatever Lua itself could complain of. If the service is stopped, nothing happens.
--
-- How the command works: Slurm calls us before the job is in the queue, so it first waits 0.2 s. `flock -n` on the
-- launcher (only as a file that is always there) lets one wait at a time, so a thousand submissions in a second
-- become five looks; a job that comes during the wait is in the queue when the look begins.
--
-- slurmctld runs it as SlurmUser, which needs no right for it: everybody may poke. The queue's name stands once, in
-- line (1). A job that names no queue makes us look too: it costs little, and the default may be ours.

local hybrid_cloud = { queue = "cloud", command = "(flock -n /usr/local/bin/hybrid-cloud sleep 0.2 && exec /usr/local/bin/hybrid-cloud poke) </dev/null >/dev/null 2>&1 &" } -- (1)

function slurm_job_submit(job_desc, part_list, submit_uid)
  pcall(function() if not job_desc.partition or ("," .. job_desc.partition .. ","):find("," .. hybrid_cloud.queue .. ",", 1, true) then os.execute(hybrid_cloud.command) end end) -- (2)
  return slurm.SUCCESS
end

function slurm_job_modify(job_desc, job_rec, part_list, modify_uid)
  pcall(function() if ("," .. (job_desc.partition or job_rec.partition or "") .. ","):find("," .. hybrid_cloud.queue .. ",", 1, true) then os.execute(hybrid_cloud.command) end end)
  return slurm.SUCCESS
end
