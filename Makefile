# SPDX-License-Identifier: GPL-2.0-or-later
# `make help` lists the targets and the variables.

VERSION      := 0.1.0
O            ?= build
V            ?= 0
CROSS_COMPILE ?=
SYSROOT      ?=
STATIC       ?= 1
SAN          ?= 0
DEBUG        ?= 0

ifeq ($(origin CC),default)
CC           := $(CROSS_COMPILE)gcc
endif
ifeq ($(origin AR),default)
AR           := $(CROSS_COMPILE)ar
endif
STRIP        ?= $(CROSS_COMPILE)strip
OBJCOPY      ?= $(CROSS_COMPILE)objcopy
INSTALL      ?= install

prefix       ?= /usr
sbindir      ?= $(prefix)/sbin
mandir       ?= $(prefix)/share/man
datadir      ?= $(prefix)/share/vmcore-save
libdir       ?= $(prefix)/lib/vmcore-save
dracutdir    ?= $(prefix)/lib/dracut/modules.d
sysconfdir   ?= /etc
unitdir      ?= $(prefix)/lib/systemd/system
udevdir      ?= $(prefix)/lib/udev/rules.d
completiondir ?= $(prefix)/share/bash-completion/completions
kernelinstalldir ?= $(prefix)/lib/kernel/install.d
DESTDIR      ?=

# Another architecture's libraries, unpacked; its C library is the compiler's own.
SYSROOT_CPPFLAGS := $(if $(SYSROOT),$(addprefix -isystem ,$(SYSROOT)/usr/include \
		$(wildcard $(SYSROOT)/usr/include/*-linux-gnu*)))
SYSROOT_LDFLAGS := $(if $(SYSROOT),$(addprefix -L,$(wildcard $(SYSROOT)/usr/lib/*-linux-gnu*)))

# Codecs that a build may lack: have,LIBRARIES,HEADER,CALL is 1 where a program with it links.
have          = $(shell printf '\043include <%s>\nint main(void) { return !&%s; }\n' '$(2)' '$(3)' | \
		$(CC) $(SYSROOT_CPPFLAGS) $(SYSROOT_LDFLAGS) $(if $(filter 1,$(STATIC)),-static) \
		-x c - -x none $(1) -o /dev/null \
		2>/dev/null && echo 1 || echo 0)
LZO_LIBS     := -llzo2
SNAPPY_LIBS  := -lsnappy -lstdc++ -lm
HAVE_LZO     ?= $(call have,$(LZO_LIBS),lzo/lzo1x.h,lzo1x_1_compress)
HAVE_SNAPPY  ?= $(call have,$(SNAPPY_LIBS),snappy-c.h,snappy_compress)
HAVE_LZO     := $(HAVE_LZO)
HAVE_SNAPPY  := $(HAVE_SNAPPY)

CFLAGS       ?= $(if $(filter 1,$(DEBUG)),-Og -g,-O2 -g)
comma        := ,
WARN_CFLAGS  := -Wall -Wextra -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef
SAN_CFLAGS   := $(if $(filter 1,$(SAN)),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
ALL_CPPFLAGS := -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -DVMCORE_SAVE_VERSION='"$(VERSION)"' \
		-DHAVE_LZO=$(HAVE_LZO) -DHAVE_SNAPPY=$(HAVE_SNAPPY) $(SYSROOT_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = -std=gnu11 -ffunction-sections -fdata-sections $(WARN_CFLAGS) $(SAN_CFLAGS) $(CFLAGS)
ALL_LDFLAGS  = -Wl,--gc-sections $(SAN_CFLAGS) $(SYSROOT_LDFLAGS) $(LDFLAGS)
# Sanitizers need the dynamic C library; the fast libraries stay as they are.
STATIC_LDFLAGS := $(if $(filter 1,$(SAN)),,$(if $(filter 1,$(STATIC)),-static))

ENGINE_LIBS  := -lelf -lz -ldeflate -lzstd $(if $(filter 1,$(HAVE_LZO)),$(LZO_LIBS)) \
		$(if $(filter 1,$(HAVE_SNAPPY)),$(SNAPPY_LIBS))
INIT_LIBS    := -lblkid
UNPACK_LIBS  := -lz -llzma -lzstd -llz4
CONTROL_LIBS := -ljson-c -lblkid

ifeq ($(V),1)
Q            :=
say          := @:
else
Q            := @
say          := @printf '  %-7s %s\n'
endif

# ---- what is built from what; DESIGN: lib <- arch <- {loader, core <- mm <- dump, core <- report}
# and init <- target <- net <- lib; initramfs and control <- lib. tests/check-includes.sh holds it to that.
LIB_SRC      := $(wildcard lib/*.c)
ARCH_SRC     := $(wildcard arch/*.c arch/*/*.c)
LOADER_SRC   := $(filter-out loader/main.c,$(wildcard loader/*.c))
ENGINE_SRC   := $(wildcard capture/core/*.c capture/mm/*.c capture/dump/*.c capture/report/*.c)
INIT_SRC     := $(wildcard capture/init/*.c capture/target/*.c capture/net/*.c)
SAVE_SRC     := $(filter-out capture/main.c,$(wildcard capture/*.c))
MKIMAGE_SRC  := $(filter-out initramfs/main.c,$(wildcard initramfs/*.c))
CONTROL_SRC  := $(filter-out control/main.c,$(wildcard control/*.c control/*/*.c))
UNIT_SRC     := $(wildcard tests/unit/*.c)
FUZZ_SRC     := $(wildcard tests/fuzz/fuzz_*.c)

obj           = $(patsubst %.c,$(O)/obj/%.o,$(1))
ALL_SRC      := $(LIB_SRC) $(ARCH_SRC) $(LOADER_SRC) loader/main.c $(ENGINE_SRC) $(INIT_SRC) \
		$(SAVE_SRC) capture/main.c $(MKIMAGE_SRC) initramfs/main.c $(CONTROL_SRC) \
		control/main.c $(UNIT_SRC)

BASE_A       := $(O)/libbase.a
LOADER_A     := $(O)/libloader.a
ENGINE_A     := $(O)/libengine.a
INIT_A       := $(O)/libinit.a
SAVE_A       := $(O)/libsave.a
MKIMAGE_A    := $(O)/libmkimage.a
CONTROL_A    := $(O)/libcontrol.a

PROGRAMS     := $(O)/kexec-loader $(O)/vmcore-save $(O)/vmcore-mkimage $(O)/vmcorectl

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all
all: $(PROGRAMS)

$(BASE_A): $(call obj,$(LIB_SRC) $(ARCH_SRC))
$(LOADER_A): $(call obj,$(LOADER_SRC))
$(ENGINE_A): $(call obj,$(ENGINE_SRC))
$(INIT_A): $(call obj,$(INIT_SRC))
$(SAVE_A): $(call obj,$(SAVE_SRC))
$(MKIMAGE_A): $(call obj,$(MKIMAGE_SRC))
$(CONTROL_A): $(call obj,$(CONTROL_SRC))

$(O)/%.a:
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

define link
$(say) LD $@
$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(2) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(1)
endef

$(O)/kexec-loader: $(call obj,loader/main.c) $(LOADER_A) $(BASE_A)
	$(call link,$(UNPACK_LIBS),$(STATIC_LDFLAGS))

$(O)/vmcore-save: $(call obj,capture/main.c) $(SAVE_A) $(INIT_A) $(ENGINE_A) $(BASE_A)
	$(call link,$(ENGINE_LIBS) $(INIT_LIBS) -pthread,$(STATIC_LDFLAGS))

$(O)/vmcore-mkimage: $(call obj,initramfs/main.c) $(MKIMAGE_A) $(BASE_A)
	$(call link,$(UNPACK_LIBS),$(STATIC_LDFLAGS))

$(O)/vmcorectl: $(call obj,control/main.c) $(CONTROL_A) $(BASE_A)
	$(call link,$(CONTROL_LIBS) $(UNPACK_LIBS),$(STATIC_LDFLAGS))

# From the distribution's source package, or the distribution's binary; it says which.
$(O)/busybox: $(wildcard busybox-config/*)
	$(Q)busybox-config/build.sh $@

$(O)/unit-tests: $(call obj,$(UNIT_SRC)) $(LOADER_A) $(SAVE_A) $(INIT_A) $(MKIMAGE_A) $(CONTROL_A) \
		$(ENGINE_A) $(BASE_A)
	$(call link,$(ENGINE_LIBS) $(INIT_LIBS) $(UNPACK_LIBS) $(CONTROL_LIBS) -pthread,$(STATIC_LDFLAGS))

# A change of compiler or flags rebuilds what it concerns.
BUILD_STAMP  := $(O)/.flags
BUILD_FLAGS  := $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC_LDFLAGS)
$(shell mkdir -p $(O); printf '%s' "$(subst ",\",$(BUILD_FLAGS))" | cmp -s - $(BUILD_STAMP) || \
	printf '%s' "$(subst ",\",$(BUILD_FLAGS))" >$(BUILD_STAMP))

$(O)/obj/%.o: %.c $(BUILD_STAMP)
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.c,$(O)/obj/%.d,$(ALL_SRC))

# ---- the purgatory, freestanding and flat, for a kernel of 64 and one of 32 bits. It is linked
# for two addresses: that the results are the same proves that it runs at any.
PURGATORY_DEPS := Makefile $(wildcard arch/x86/purgatory/*) arch/x86/purgatory/include/string.h \
		lib/sha256.c lib/sha256.h
PURGATORY_CFLAGS := -I. -Iarch/x86/purgatory/include -std=gnu11 -O2 -ffreestanding -fPIE \
		-fvisibility=hidden -fno-stack-protector -fno-asynchronous-unwind-tables \
		-fno-jump-tables -fcf-protection=none -mgeneral-regs-only -ffunction-sections \
		$(WARN_CFLAGS) -nostdlib -static -Wl,-T,arch/x86/purgatory/purgatory.lds \
		-Wl,--gc-sections,--build-id=none,-z,noexecstack \
		$(addprefix -Wl$(comma),$(shell $(CC) -Wl,--help 2>/dev/null | \
		grep -o -m 1 -e --no-warn-rwx-segments))
purgatory-link = $(CC) -m$* $(if $(filter 64,$*),-mno-red-zone) $(PURGATORY_CFLAGS) \
		-Wl,--defsym=PURGATORY_BASE=$(1) -o $(2) arch/x86/purgatory/entry$*.S \
		arch/x86/purgatory/main.c lib/sha256.c
$(O)/purgatory%.bin: $(PURGATORY_DEPS) $(BUILD_STAMP)
	$(say) LD $@
	$(Q)$(call purgatory-link,0,$@.elf) && $(OBJCOPY) -O binary $@.elf $@
	$(Q)$(call purgatory-link,0x200000,$@.elf) && $(OBJCOPY) -O binary $@.elf $@.moved
	$(Q)cmp $@ $@.moved && rm -f $@.elf $@.moved

ifneq ($(filter x86_64-% i386-% i486-% i586-% i686-%,$(shell $(CC) -dumpmachine)),)
$(O)/obj/arch/x86/purgatory.o: $(O)/purgatory64.bin $(O)/purgatory32.bin
endif
$(O)/obj/arch/x86/purgatory.o: ALL_CPPFLAGS += -DPURGATORY_DIR='"$(O)"'

# ---- fuzzers: `make CC=clang SAN=1 CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzzers`
FUZZERS      := $(patsubst tests/fuzz/%.c,$(O)/%,$(FUZZ_SRC))
.PHONY: fuzzers
.SECONDARY: $(call obj,$(FUZZ_SRC))
fuzzers: $(FUZZERS)
$(FUZZERS): $(O)/fuzz_%: $(O)/obj/tests/fuzz/fuzz_%.o $(call obj,$(wildcard tests/unit/*_builder*.c)) $(LOADER_A) $(INIT_A) $(MKIMAGE_A) $(CONTROL_A) $(ENGINE_A) $(BASE_A)
	$(call link,$(ENGINE_LIBS) $(INIT_LIBS) $(UNPACK_LIBS) $(CONTROL_LIBS) -pthread,-fsanitize=fuzzer)
-include $(patsubst %.c,$(O)/obj/%.d,$(FUZZ_SRC))

# ---- benchmark and training of the codecs; peers exist as shared libraries only
BENCH_SRC    := tests/bench/codec.c tests/bench/deflate_train.c
ISAL_LIBS    := $(if $(wildcard /usr/include/isa-l/igzip_lib.h),-lisal)
.PHONY: deflate-train
deflate-train: $(O)/deflate-train
$(O)/bench-codec: $(call obj,tests/bench/codec.c) $(ENGINE_A) $(BASE_A)
	$(call link,$(ENGINE_LIBS) $(ISAL_LIBS),)
$(O)/deflate-train: $(call obj,tests/bench/deflate_train.c) $(ENGINE_A) $(BASE_A)
	$(call link,$(ENGINE_LIBS) -lm,$(STATIC_LDFLAGS))
-include $(patsubst %.c,$(O)/obj/%.d,$(BENCH_SRC))

# ---- what runs in a VM besides the programs
$(O)/memory-load: tests/qemu/memory-load.c $(BUILD_STAMP)
	$(say) CC $@
	$(Q)$(CC) -static -O2 $(WARN_CFLAGS) -o $@ $<

# ---- measures the walk over the memory map alone
$(O)/bench-scan: $(call obj,tests/bench/scan.c) $(ENGINE_A) $(BASE_A)
	$(call link,$(ENGINE_LIBS) -pthread,$(STATIC_LDFLAGS))
-include $(O)/obj/tests/bench/scan.d

# ---- what one types; packages come first, so these call make again
KERNEL       ?= 6.1-generic
TEST         ?=
CACHE        ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vmcore-save
export O CACHE ACCEL JOBS FUZZ_SECONDS MAKE
again         = $(Q)+$(MAKE) --no-print-directory -j$(shell nproc)

.PHONY: deps demo check check-all bench fuzz-smoke
deps:
	$(Q)scripts/deps

demo: deps
	$(again) $(PROGRAMS) $(O)/memory-load
	$(Q)tests/qemu/demo $(KERNEL)

check: deps
	$(again) $(PROGRAMS) $(O)/unit-tests $(O)/memory-load $(O)/busybox
	$(Q)tests/run $(TEST)

check-all:
	$(Q)scripts/deps --long
	$(again) $(PROGRAMS) $(O)/unit-tests $(O)/memory-load $(O)/busybox
	$(Q)FUZZ_SECONDS=$(or $(FUZZ_SECONDS),120) tests/run --long $(TEST)

bench:
	$(Q)scripts/deps --long
	$(again) $(PROGRAMS) $(O)/bench-scan $(O)/bench-codec $(O)/memory-load $(O)/busybox
	$(Q)tests/bench/scan.py
	$(Q)tests/bench/codec.py
	$(Q)tests/bench/filter.py
	$(Q)tests/bench/loader.py
	$(Q)tests/bench/reboot.py
	$(Q)tests/bench/crashkernel.py
	$(Q)tests/bench/kdump-tools.py

fuzz-smoke: deps
	$(again) $(O)/unit-tests
	$(Q)tests/run fuzz/

# ---- installation
MAN8          = $(wildcard docs/man/*.8)
MAN5          = $(wildcard docs/man/*.5)
# What runs at boot, and after a kernel's installation, and completion: FILE:MODE:WHERE.
word-of       = $(word $(1),$(subst :, ,$(2)))
define newline


endef
SERVICE      := control/systemd/vmcore-save.service:0644:$(unitdir)/vmcore-save.service \
		control/systemd/vmcore-save-notice.service:0644:$(unitdir)/vmcore-save-notice.service \
		control/vmcorectl.bash:0644:$(completiondir)/vmcorectl \
		control/sysv/vmcore-save:0755:$(sysconfdir)/init.d/vmcore-save \
		control/vmcore-save.default:0644:$(sysconfdir)/default/vmcore-save \
		control/hooks/vmcore-save.install:0755:$(kernelinstalldir)/95-vmcore-save.install \
		control/hooks/postinst:0755:$(sysconfdir)/kernel/postinst.d/vmcore-save \
		control/hooks/postrm:0755:$(sysconfdir)/kernel/postrm.d/vmcore-save \
		control/hooks/vmcore-save.rules:0644:$(udevdir)/98-vmcore-save.rules
SERVICE_TO   := $(foreach f,$(SERVICE),$(call word-of,3,$f))
.PHONY: install uninstall clean help
install: $(PROGRAMS)
	$(INSTALL) -d $(addprefix $(DESTDIR),$(sbindir) $(dracutdir)/99vmcore-save \
		$(mandir)/man8 $(mandir)/man5 $(datadir) $(libdir) $(sort $(dir $(SERVICE_TO))))
	$(INSTALL) -s --strip-program=$(STRIP) -m 0755 $(PROGRAMS) $(DESTDIR)$(sbindir)
	$(INSTALL) -m 0755 dracut-module/vmcore-save-dracut $(DESTDIR)$(sbindir)
	$(INSTALL) -m 0644 dracut-module/99vmcore-save/*.sh $(DESTDIR)$(dracutdir)/99vmcore-save
	chmod 0755 $(DESTDIR)$(dracutdir)/99vmcore-save/module-setup.sh
	$(INSTALL) -m 0644 initramfs/image.manifest control/vmcore-save.conf $(DESTDIR)$(datadir)
	$(if $(wildcard $(O)/busybox),$(INSTALL) -m 0755 $(O)/busybox $(DESTDIR)$(libdir))
	$(if $(MAN8),$(INSTALL) -m 0644 $(MAN8) $(DESTDIR)$(mandir)/man8)
	$(if $(MAN5),$(INSTALL) -m 0644 $(MAN5) $(DESTDIR)$(mandir)/man5)
	$(foreach f,$(SERVICE),$(INSTALL) -m $(call word-of,2,$f) $(call word-of,1,$f) \
		$(DESTDIR)$(call word-of,3,$f)$(newline)	)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(sbindir)/,$(notdir $(PROGRAMS)) vmcore-save-dracut)
	rm -f $(addprefix $(DESTDIR)$(mandir)/man8/,$(notdir $(MAN8)))
	rm -f $(addprefix $(DESTDIR)$(mandir)/man5/,$(notdir $(MAN5)))
	rm -rf $(DESTDIR)$(dracutdir)/99vmcore-save $(DESTDIR)$(datadir) $(DESTDIR)$(libdir)
	rm -f $(addprefix $(DESTDIR),$(SERVICE_TO))

# ---- packages: the tree, copied, with packaging/deb as its debian/
DEB_TREE     := $(O)/deb/vmcore-save-$(VERSION)
MAINTAINER   ?= vmcore-save packagers <packagers@vmcore-save.invalid>
.PHONY: deb
deb:
	rm -rf $(O)/deb
	mkdir -p $(DEB_TREE)
	tar -c --exclude=./build --exclude=./$(O) --exclude-vcs . | tar -x -C $(DEB_TREE)
	cp -R packaging/deb $(DEB_TREE)/debian
	rm $(DEB_TREE)/debian/changelog.in
	for f in control:control changelog.in:changelog; do \
		sed -e 's/@VERSION@/$(VERSION)/' -e 's/@MAINTAINER@/$(MAINTAINER)/' \
			-e "s/@DATE@/$$(date -R -u -d @$${SOURCE_DATE_EPOCH:-$$(date +%s)})/" \
			packaging/deb/$${f%:*} >$(DEB_TREE)/debian/$${f#*:} || exit 1; \
	done
	cd $(DEB_TREE) && env -u O -u V -u MAKEFLAGS -u MFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b
	$(say) DEB $(O)/deb/*.deb

# The same tree as an archive, which is the spec's source. RPMFLAGS: more of rpmbuild's options.
RPM_TOP      := $(abspath $(O))/rpm
RPMFLAGS     ?=
.PHONY: rpm
rpm:
	rm -rf $(O)/rpm
	mkdir -p $(O)/rpm/SOURCES $(O)/rpm/vmcore-save-$(VERSION)
	tar -c --exclude=./build --exclude=./$(O) --exclude-vcs . | \
		tar -x -C $(O)/rpm/vmcore-save-$(VERSION)
	tar -cz -C $(O)/rpm -f $(O)/rpm/SOURCES/vmcore-save-$(VERSION).tar.gz vmcore-save-$(VERSION)
	rm -r $(O)/rpm/vmcore-save-$(VERSION)
	env -u O -u V -u MAKEFLAGS -u MFLAGS -u MAKELEVEL rpmbuild -ba \
		--define '_topdir $(RPM_TOP)' --define 'vmcore_save_version $(VERSION)' \
		$(RPMFLAGS) packaging/rpm/vmcore-save.spec
	$(say) RPM $(O)/rpm/RPMS/*/*.rpm

clean:
	rm -rf $(O)

help:
	@echo 'Targets:'
	@echo '  all          $(notdir $(PROGRAMS)), into $(O)/'
	@echo '  deps         install what this machine lacks, by package name'
	@echo '  demo         panic a stock kernel in QEMU and open its dump (KERNEL=6.1-generic)'
	@echo '  check        all tests but the long ones; TEST=x: those with x in their name'
	@echo '  check-all    the long ones too'
	@echo '  bench        figures beside makedumpfile and kdump-tools; no pass or fail'
	@echo '  fuzz-smoke   the fuzzers, for FUZZ_SECONDS each'
	@echo '  install      below $$(DESTDIR)$$(prefix); uninstall takes it away again'
	@echo '  deb          a Debian package, into $(O)/deb (MAINTAINER="name <address>")'
	@echo '  rpm          RPM packages, into $(O)/rpm (RPMFLAGS: more options of rpmbuild)'
	@echo '  clean        remove $(O)/'
	@echo 'Variables: O=dir (build directory), V=1 (show commands), DEBUG=1 (-Og -g),'
	@echo '  SAN=1 (AddressSanitizer, UBSan), STATIC=0, CC=clang, CROSS_COMPILE=prefix-,'
	@echo '  SYSROOT=dir (libraries to cross-build with),'
	@echo '  DESTDIR, prefix, CACHE=dir (kernels), JOBS=n (tests side by side),'
	@echo '  ACCEL=tcg (do not try KVM)'
