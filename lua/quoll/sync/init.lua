--- Tasks that talk: channels, topics, locks and the like.
--
-- Waiters are served strictly in the order in which they came. A wait that a
-- timeout or a cancellation ends has had no effect. No task owns these objects:
-- each lives as long as something refers to it.
-- @module quoll.sync

return {
  channel = require("quoll.sync.channel").new,
  event = require("quoll.sync.event").new,
  limiter = require("quoll.sync.limiter").new,
  mutex = require("quoll.sync.mutex").new,
  once = require("quoll.sync.once").new,
  pool = require("quoll.sync.pool").new,
  select = require("quoll.sync.select").select,
  semaphore = require("quoll.sync.semaphore").new,
  topic = require("quoll.sync.topic").new,
  waitgroup = require("quoll.sync.waitgroup").new,
}
