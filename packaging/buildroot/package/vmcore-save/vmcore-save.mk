################################################################################
#
# vmcore-save
#
################################################################################

VMCORE_SAVE_VERSION = 0.1.0
# The tree that this file is part of.
VMCORE_SAVE_SITE = $(BR2_EXTERNAL_VMCORE_SAVE_PATH)/../..
VMCORE_SAVE_SITE_METHOD = local
VMCORE_SAVE_LICENSE = GPL-2.0+
VMCORE_SAVE_LICENSE_FILES = COPYING
VMCORE_SAVE_DEPENDENCIES = elfutils host-vmcore-save json-c libdeflate lz4 \
	util-linux xz zlib zstd
HOST_VMCORE_SAVE_DEPENDENCIES = host-lz4 host-xz host-zlib host-zstd

# O= is given, since the one of Buildroot's own command line would come through.
VMCORE_SAVE_MAKE_OPTS = O=build-buildroot

ifeq ($(BR2_PACKAGE_LZO),y)
VMCORE_SAVE_DEPENDENCIES += lzo
VMCORE_SAVE_MAKE_OPTS += HAVE_LZO=1
else
VMCORE_SAVE_MAKE_OPTS += HAVE_LZO=0
endif

ifeq ($(BR2_PACKAGE_SNAPPY),y)
VMCORE_SAVE_DEPENDENCIES += snappy
VMCORE_SAVE_MAKE_OPTS += HAVE_SNAPPY=1
else
VMCORE_SAVE_MAKE_OPTS += HAVE_SNAPPY=0
endif

define VMCORE_SAVE_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(TARGET_CONFIGURE_OPTS) $(MAKE) -C $(@D) \
		$(VMCORE_SAVE_MAKE_OPTS) all
endef

VMCORE_SAVE_CONF = $(call qstrip,$(BR2_PACKAGE_VMCORE_SAVE_CONF))

# Neither dracut nor what builds images on the machine itself.
define VMCORE_SAVE_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0755 $(@D)/build-buildroot/kexec-loader $(TARGET_DIR)/usr/sbin/kexec-loader
	$(INSTALL) -D -m 0755 $(@D)/build-buildroot/vmcore-save $(TARGET_DIR)/usr/sbin/vmcore-save
	$(INSTALL) -D -m 0755 $(@D)/build-buildroot/vmcorectl $(TARGET_DIR)/usr/sbin/vmcorectl
	$(INSTALL) -D -m 0644 \
		$(or $(VMCORE_SAVE_CONF),$(@D)/control/vmcore-save.conf) \
		$(TARGET_DIR)/etc/vmcore-save.conf
endef

define VMCORE_SAVE_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(VMCORE_SAVE_PKGDIR)/S02kexec-loader \
		$(TARGET_DIR)/etc/init.d/S02kexec-loader
endef

define VMCORE_SAVE_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0755 $(VMCORE_SAVE_PKGDIR)/S02kexec-loader \
		$(TARGET_DIR)/usr/libexec/vmcore-save-arm
	$(INSTALL) -D -m 0644 $(VMCORE_SAVE_PKGDIR)/vmcore-save.service \
		$(TARGET_DIR)/usr/lib/systemd/system/vmcore-save.service
endef

define HOST_VMCORE_SAVE_BUILD_CMDS
	$(HOST_MAKE_ENV) $(HOST_CONFIGURE_OPTS) $(MAKE) -C $(@D) \
		O=build-buildroot STATIC=0 HAVE_LZO=0 HAVE_SNAPPY=0 \
		build-buildroot/vmcore-mkimage
endef

define HOST_VMCORE_SAVE_INSTALL_CMDS
	$(INSTALL) -D -m 0755 $(@D)/build-buildroot/vmcore-mkimage $(HOST_DIR)/sbin/vmcore-mkimage
	$(INSTALL) -D -m 0644 $(@D)/initramfs/image.manifest \
		$(HOST_DIR)/share/vmcore-save/image.manifest
endef

$(eval $(generic-package))
$(eval $(host-generic-package))
