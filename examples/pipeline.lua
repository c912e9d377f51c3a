--- A pipeline of tasks: read files, count their words, add up. Back-pressure
-- comes by itself: a stage that is slow holds back those before it.
--
--   luajit examples/pipeline.lua FILE...

local quoll = require "quoll"

local sync = quoll.sync

-- Reads what is asked for, so many files at a time; closes texts at the end.
local function read(paths, texts)
  local readers = sync.pool(4, function(path)
    local text, err = quoll.fs.readfile(path)
    texts:send { path = path, text = text, err = err }
  end)
  for _, path in ipairs(paths) do
    readers:submit(path)
  end
  readers:wait()
  texts:close()
end

-- One of several workers: takes texts, gives numbers of words.
local function count(texts, counts)
  for job in texts:values() do
    if job.text then
      local _, words = job.text:gsub("%S+", "")
      job.words = words
    end
    counts:send(job)
  end
end

quoll.run(function(...)
  local texts, counts = sync.channel(2), sync.channel(2)
  local workers = sync.waitgroup()
  quoll.spawn(read, { ... }, texts)
  for _ = 1, 3 do
    workers:add()
    quoll.spawn(function()
      count(texts, counts)
      workers:done()
    end)
  end
  quoll.spawn(function()
    workers:wait()
    counts:close()
  end)

  local total = 0
  for job in counts:values() do
    if job.err then
      io.stderr:write("pipeline: ", job.err, "\n")
    else
      print(("%8d  %s"):format(job.words, job.path))
      total = total + job.words
    end
  end
  print(("%8d  words in all"):format(total))
end, ...)
