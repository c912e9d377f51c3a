-- Commands that see a folder through overlayfs, as what runs in a container
-- does. The mount is in a namespace of their own: it ends with the last of
-- them, however that ends.
local proc = require "bench.lib.proc"

local Overlay = {}
Overlay.__index = Overlay

local MOUNT = [[
at=$1; shift
mount -t overlay overlay "$at/merged" \
    -o "lowerdir=$at/lower,upperdir=$at/upper,workdir=$at/work" && exec "$@"
]]

-- Makes `folder` with a folder `lower` in it, empty, which is seen through
-- the overlay as `merged`.
local function new(folder)
    proc.run {
        "mkdir", "-p", folder .. "/lower", folder .. "/upper",
        folder .. "/work", folder .. "/merged",
    }
    local root = proc.run({ "id", "-u" }):match("^0\n")
    return setmetatable({
        folder = folder,
        flags = root and "-m" or "-mr",
    }, Overlay)
end

-- The command that runs `args` where the overlay is mounted.
function Overlay:command(args)
    local all = {
        core = args.core, name = args.name,
        "unshare", self.flags, "sh", "-c", MOUNT, "sh", self.folder,
    }
    for _, arg in ipairs(args) do
        table.insert(all, arg)
    end
    return all
end

-- Why it cannot be mounted; nil when it can.
function Overlay:refused()
    local text = proc.run {
        "sh", "-c", '"$@" 2>&1 || echo failed', "sh",
        unpack(self:command { "true" }),
    }
    return text:match("[^\n]+")
end

return { new = new }
