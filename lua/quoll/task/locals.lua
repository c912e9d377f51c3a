--- Task-local values: `quoll.locals.user = name`, `quoll.locals.user`.
-- A task begins with the values that the task which spawned it had at that
-- moment (a timer's too); what either of them writes later the other does not
-- see. The main chunk has values of its own. Any key but nil and NaN; nil
-- removes one. A write copies the table of all of them: few values, written
-- rarely, read anywhere. What a value refers to is shared, not copied.
--
-- `quoll.locals()` returns a table of all of them, the caller's own.
-- @module quoll.task.locals

return require("quoll.core").locals
