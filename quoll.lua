-- Lets scripts run from a built clone with nothing installed.
local here = debug.getinfo(1, "S").source:match("^@(.*)quoll%.lua$") or ""
package.path = here .. "lua/?.lua;" .. here .. "lua/?/init.lua;" .. package.path
package.cpath = here .. "build/lib/lua/5.1/?.so;" .. package.cpath
return dofile(here .. "lua/quoll/init.lua")
