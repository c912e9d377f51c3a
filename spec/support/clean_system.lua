-- clean_system.lua: a Debian system in a folder that has nothing but what given
-- packages depend on, of this machine's own files: dpkg installs into it, and
-- programs run in it by chroot.
local clean = {}
clean.__index = clean

local function shell(command)
    local pipe = assert(io.popen("exec 2>&1; " .. command .. "; echo $?"))
    local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
    pipe:close()
    return out, tonumber(code)
end

local function succeeds(command)
    local out, code = shell(command)
    assert(code == 0, command .. ":\n" .. out)
    return out
end

-- What is missing for this; nil: nothing.
function clean.lacks()
    if succeeds "id -u" ~= "0\n" then
        return "needs root, for chroot"
    elseif select(2, shell "command -v dpkg-deb chroot") ~= 0 then
        return "needs dpkg"
    elseif select(2, shell "chroot / true") ~= 0 then
        return "chroot is not permitted"
    end
end

-- name -> what it depends on, and who provides a name, of all installed here.
local function installed()
    local depends, provider = {}, {}
    for line in succeeds("dpkg-query -W -f '${db:Status-Abbrev};${Package};"
        .. "${Provides};${Pre-Depends}, ${Depends}\\n'"):gmatch "[^\n]+" do
        local name, provides, list = line:match "^ii ;([^;]*);([^;]*);(.*)$"
        if name then
            depends[name], provider[name] = list, name
            for other in provides:gmatch "[%w%.+-]+" do
                provider[other] = provider[other] or name
            end
        end
    end
    return depends, provider
end

-- The first of alternatives, "debconf (>= 0.5) | debconf-2.0", that is here.
local function chosen(alternatives, provider)
    for one in alternatives:gmatch "[^|]+" do
        local name = one:match "[%w%.+-]+"
        if provider[name] then
            return provider[name]
        end
    end
end

-- All that the packages in `list`, in the form of Depends, need.
local function closure(list)
    local depends, provider = installed()
    local found, open = {}, { list }
    while #open > 0 do
        for alternatives in table.remove(open):gmatch "[^,]+" do
            local name = chosen(alternatives, provider)
            if name and not found[name] then
                found[name] = true
                found[#found + 1] = name
                open[#open + 1] = depends[name]
            end
        end
    end
    return found
end

local function stanzas(names)
    local taken = {}
    local file = assert(io.open "/var/lib/dpkg/status")
    for stanza in (file:read "*a"):gmatch "(Package: .-\n)\n" do
        if names[stanza:match "^Package: ([^\n]+)"] then
            taken[#taken + 1] = stanza
        end
    end
    file:close()
    return table.concat(taken, "\n") .. "\n"
end

-- The system in dir, a new folder: what `list`, as in Depends, needs and what
-- dpkg itself runs in there.
function clean.make(dir, list)
    local names = closure(list .. ", dash, libc-bin")
    local root = dir .. "/var/lib/dpkg"
    succeeds(("mkdir -p %s/usr/bin %s/usr/sbin %s/usr/lib %s/usr/lib64 "
        .. "%s/tmp %s/updates %s/info %s/triggers && cd %s && ln -s usr/bin "
        .. "usr/sbin usr/lib usr/lib64 ."):format(dir, dir, dir, dir, dir,
        root, root, root, dir))
    local file = assert(io.open(root .. "/status", "w"))
    file:write(stanzas(names))
    file:close()
    succeeds(("for name in %s; do cp /var/lib/dpkg/info/$name.list "
        .. "/var/lib/dpkg/info/$name:*.list /var/lib/dpkg/info/$name.postinst "
        .. "/var/lib/dpkg/info/$name.triggers %s/info 2>/dev/null; done; "
        .. "cp /var/lib/dpkg/triggers/ldconfig %s/triggers")
        :format(table.concat(names, " "), root, root))
    succeeds(("dpkg -L %s | grep -v '^/\\.$' | sort -u | while read path; do "
        .. "[ ! -e $path ] || [ -d $path ] && [ ! -L $path ] || echo $path; "
        .. "done | tar -C / -T - -c | tar -C %s -x --keep-directory-symlink")
        :format(table.concat(names, " "), dir))
    return setmetatable({ dir = dir }, clean)
end

-- What the command, which ends within s, says in there; raises when it fails.
function clean:run(command, s)
    return succeeds(("env -u LD_PRELOAD -u LUA_INIT -u LUA_PATH -u LUA_CPATH "
        .. "timeout -k 5 %d chroot %s %s"):format(s, self.dir, command))
end

-- dpkg with arguments, which come from here, on the system.
function clean:dpkg(arguments)
    return succeeds(("dpkg --root=%s %s"):format(self.dir, arguments))
end

return clean
