-- AlterTable: runs that have failed before say nothing of why
ALTER TABLE "run" ADD COLUMN "failure" JSON;

-- CreateCheck
ALTER TABLE "run" ADD CONSTRAINT "run_failure_check" CHECK ("failure" IS NULL OR "status" = 'failed');
